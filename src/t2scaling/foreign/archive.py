"""Members of a zip archive, each read within a limit that its directory cannot lie about."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2scaling.errors import DataError
from t2scaling.foreign.names import shown
from t2scaling.foreign.text import MOST_BYTES, parse_json

MOST_MEMBERS = 2_000_000
# All members together may expand to so many times the file, and always to 64 MiB: logs shrink 10 to 50 times.
MOST_RATIO = 100
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, 93)  # others may claim gigabytes of memory for a few bytes


@dataclass
class Archive:
    """An open zip archive.

    names   names of its members, in the archive's order
    left    bytes that may still be expanded
    """

    path: Path
    names: tuple[str, ...]
    _zip: zipfile.ZipFile
    left: int

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises DataError where it is missing, encrypted or damaged, or expands beyond measure."""
        from zstandard import ZstdError

        where = f"`{self.path}`: {shown(name, 80)}"
        most = min(MOST_BYTES, self.left)
        try:
            if self._zip.getinfo(name).compress_type not in METHODS:
                raise NotImplementedError("its compression is none that is read here: deflate and zstd are")
            # Read through the stream: the size in the directory is whatever its writer claims.
            with self._zip.open(name) as member:
                content = member.read(most + 1)
        except KeyError:
            raise DataError(
                f"{where} is missing. The file was cut off, or is of another kind; copy it again."
            ) from None
        except NotImplementedError as error:
            raise DataError(f"{where} cannot be read: {error}. Write the archive anew, or leave it out.") from None
        except RuntimeError:  # what zipfile says of encryption
            raise DataError(f"{where} is encrypted. Decrypt the file, or leave it out.") from None
        except (zipfile.BadZipFile, zlib.error, ZstdError, EOFError, OSError, ValueError, MemoryError) as error:
            reason = str(error).rstrip(".") or type(error).__name__
            raise DataError(f"{where} is damaged ({reason}). Copy the file again, or leave it out.") from None
        self.left -= len(content)
        if len(content) > most:
            raise DataError(
                f"{where} expands too far: {MOST_BYTES >> 20} MiB are read of one member, and {MOST_RATIO} times the "
                "file's size of all of them. Split the log, or leave it out."
            )
        return content

    def read_json(self, name: str) -> Any:
        """A member's JSON. Raises DataError like `read` and `parse_json`."""
        return parse_json(
            self.read(name), f"`{self.path}`: {shown(name, 80)}", way_out="The file is damaged; copy it again."
        )


@contextmanager
def open_zip(path: str | Path, noun: str = "zip archive") -> Iterator[Archive]:
    """An archive whose members may be stored, deflated, or compressed with zstd.

    noun   what the file should be, for the error
    Raises DataError for a file that is no zip archive, or names a member twice.
    """
    import zipfile_zstd  # noqa: F401  (teaches zipfile method 93, which Python 3.11 lacks, by way of zstandard)

    path = Path(path)
    try:
        opened = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, MemoryError, OverflowError) as error:
        raise DataError(
            f"`{path}` is not a readable {noun}: {str(error).rstrip('.')}. It may be cut off; copy it again."
        ) from None
    with opened:
        names = tuple(opened.namelist())
        if len(names) > MOST_MEMBERS or len(set(names)) < len(names):
            raise DataError(f"`{path}` names a member twice, or more than {MOST_MEMBERS:,}: it is no {noun}.")
        yield Archive(path, names, opened, (64 << 20) + MOST_RATIO * path.stat().st_size)
