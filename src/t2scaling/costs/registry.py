"""The cost models by name, and how one is read back from a plan."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from t2scaling.costs.base import CostModel, PaperCost
from t2scaling.costs.kinetics import KineticsCost
from t2scaling.costs.query import QueryCost
from t2scaling.costs.sardana import SardanaCost
from t2scaling.costs.serving import Constants, Serving
from t2scaling.errors import DataError, unknown

_MODELS = (PaperCost, QueryCost, SardanaCost, KineticsCost, Serving)
COSTS: dict[str, type[Any]] = {cls.name: cls for cls in _MODELS}


def cost_from_dict(content: Mapping[str, Any]) -> CostModel:
    """The cost model that `to_dict` described.

    >>> cost_from_dict({"name": "query", "prompt_tokens": 70, "answer_tokens": 215}).label
    '2·N·(prompt + k·answer) per query'

    Raises DataError for settings that the model does not have, ArgumentError for a name or a value that cannot be.
    """
    name = None
    try:
        settings = dict(content)
        name = settings.pop("name", None)
        if name not in COSTS:
            raise unknown("cost", name, COSTS)
        # What is written for people, such as the label, is no setting.
        known = {one.name for one in fields(COSTS[name])}
        settings = {key: value for key, value in settings.items() if key in known or not hasattr(COSTS[name], key)}
        if isinstance(settings.get("constants"), Mapping):
            settings["constants"] = Constants(**settings["constants"])
        model: CostModel = COSTS[name](**settings)
    except (TypeError, AttributeError) as error:
        raise DataError(f"`cost` = {name} has settings that it does not know ({error}): make the plan anew.") from error
    return model
