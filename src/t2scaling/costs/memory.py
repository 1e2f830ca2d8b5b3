"""Bytes of the key-value cache."""

from t2scaling.costs.params import ShapeLike


def kv_bytes_per_token(shape: ShapeLike, bytes_per_value: float = 2) -> float:
    """Bytes of keys and values that one token leaves in the cache: 2·layers·kv heads·head_dim·bytes."""
    return 2 * shape.depth * shape.n_kv_heads * shape.head_dim * bytes_per_value
