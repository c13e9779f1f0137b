# SPDX-License-Identifier: BSD-2-Clause
"""Parquet and Arrow files: in, page by page, and Parquet out."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Type, Union

from .._dataset import Dataset, Path, open as open_dataset
from .._library import fidelity_number, whole
from .._source import NewSample
from .._writer import WriteReport, write
from ..errors import CorruptError, FormatError, InvalidError, NotFoundError, PcrError
from ._arrow import Features, choose, class_feature, features_of, paths_of, samples
from ._common import keys_of, need

READ_NBYTES = 4 << 20  #: read at once, about
ROW_GROUP_NBYTES = 32 << 20  #: written at once, about
_SPLITS = r"train(?:ing)?|test(?:ing)?|val(?:id)?(?:ation)?|dev|eval"
_KNOWN = re.compile(rf"(?:^|[^a-z])({_SPLITS})(?:$|[^a-z])")
_SHARD = re.compile(r"(.+)-\d+-of-\d+(?:-[0-9a-f]+)?")


def from_parquet(src: Union[Path, Sequence[Path], Mapping[str, Any]], dst: Path, *,
                 split: Optional[str] = None, image_field: Optional[str] = None,
                 label_field: Optional[str] = None, key_field: Optional[str] = None,
                 attributes: Optional[Iterable[str]] = None,
                 classes: Optional[Iterable[str]] = None, **options: Any) -> WriteReport:
    """Writes a dataset of the rows of Parquet files, or of Arrow files (streams and IPC files, as
    `datasets` caches and saves them).

    src: a file; a folder, with all .parquet files below it, or else all .arrow files; a pattern
        ("data/*.parquet"); several of these; or {split: any of these, ...}.
    split: the split of all rows. None: as files or their folders are called
        ("train-00000-of-00002.parquet", "validation/0.parquet"), "all" where they say nothing.
    image_field, label_field, key_field, attributes, classes: as for from_huggingface(). The
        image's column is of files' bytes, or a struct {bytes, path}; where bytes are missing, a
        file is read whose path begins at the Parquet file's folder. Class names are those of
        Hugging Face's metadata in the files, or of a dataset_info.json or dataset_infos.json
        beside them or above.

    In memory are pages of one row group, which most writers end at 1,024 rows. The other
    arguments, the result and the exceptions are those of pcr.write(). NotFoundError: no such file;
    FormatError, CorruptError: a file that is none or is damaged; ModuleNotFoundError: no pyarrow.
    """
    need("pyarrow.parquet", "from_parquet()")
    files = _by_split(src, split)
    first = next(iter(files.values()))[0]
    schema = _File(first).schema
    columns = choose(schema, features_of(schema.metadata) or _features_beside(first), image_field,
                     label_field, key_field, attributes, classes)
    wanted = [columns.image, *(name for name in (columns.label, columns.key) if name),
              *columns.attributes]
    keys: Dict[str, Any] = dict.fromkeys(files)
    if key_field is None:
        keys = dict(keys_of({name: [path for file in of for path in _paths(file, columns.image)]
                             for name, of in files.items()}))

    def every(name: str) -> Iterator[NewSample]:
        begin = 0
        for path in files[name]:
            file = _File(path)
            own = None if keys[name] is None else keys[name][begin:begin + file.row_count]
            yield from samples(file.tables(wanted), columns, name, own, os.path.dirname(path))
            begin += file.row_count

    return write(dst, chain.from_iterable(map(every, files)), classes=columns.classes, **options)


@contextlib.contextmanager
def _damage(path: str, kind: Type[PcrError]) -> Iterator[None]:
    """Has what pyarrow finds wrong with a file be this package's error, with the file's name."""
    try:
        yield
    except need("pyarrow", "Parquet").ArrowException as exc:
        raise kind(f"{path}: {exc}") from exc
    except OSError as exc:
        if exc.errno is not None:  # the system's
            raise
        raise kind(f"{path}: {exc}") from exc


class _File:
    """A Parquet or Arrow file. Opened anew by each method that reads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_parquet = not path.endswith((".arrow", ".feather"))
        nbytes = os.path.getsize(path)
        with _damage(path, FormatError):
            if self._is_parquet:
                with self._parquet() as file:
                    self.schema, self.row_count = file.schema_arrow, int(file.metadata.num_rows)
                    nbytes = sum(int(file.metadata.row_group(i).total_byte_size)
                                 for i in range(file.metadata.num_row_groups))
            else:
                reader = self._arrow()
                self.schema = reader.schema
                self.row_count = sum(int(batch.num_rows) for batch in self._batches(reader))
        #: At once: as many as READ_NBYTES have.
        self._rows = max(1, min(READ_NBYTES * self.row_count // max(nbytes, 1), 1000))

    def _parquet(self) -> Any:
        # So column chunks are read by pages, not whole.
        return need("pyarrow.parquet", "Parquet").ParquetFile(self._path, buffer_size=1 << 20,
                                                              pre_buffer=False)

    def _arrow(self) -> Any:
        """A reader of a stream or of an IPC file."""
        pa = need("pyarrow", "Arrow")
        with pa.memory_map(self._path) as file:
            is_file = file.read(6) == b"ARROW1"
        source = pa.memory_map(self._path)
        return (pa.ipc.open_file if is_file else pa.ipc.open_stream)(source)

    @staticmethod
    def _batches(reader: Any) -> Iterator[Any]:
        if hasattr(reader, "num_record_batches"):
            return (reader.get_batch(i) for i in range(reader.num_record_batches))
        return iter(reader)

    def tables(self, columns: Sequence[str]) -> Iterator[Any]:
        """Some columns ("image.path": a struct's field), some rows at a time."""
        names = {name.split(".")[0] for name in columns}
        missing = names - set(self.schema.names)
        if missing:
            raise InvalidError(f"{self._path} has no column {sorted(missing)[0]!r}, as others do")
        with _damage(self._path, CorruptError):
            if self._is_parquet:
                with self._parquet() as file:
                    yield from file.iter_batches(self._rows, columns=list(columns))
                return
            for batch in self._batches(self._arrow()):
                for begin in range(0, batch.num_rows, self._rows):
                    yield batch.slice(begin, self._rows)


def _paths(path: str, image: str) -> List[Optional[str]]:
    """The paths in an image column; reads nothing else of it."""
    file = _File(path)
    kind = file.schema.field(image).type if image in file.schema.names else None
    if kind is not None and not any(kind.field(i).name == "path"
                                    for i in range(kind.num_fields)):
        return [None] * file.row_count
    return paths_of(file.tables([f"{image}.path"]), image)


def _by_split(src: Any, split: Optional[str]) -> Dict[str, List[str]]:
    """All files of each split."""
    if isinstance(src, Mapping):
        if split is not None:
            raise InvalidError("split goes with files that are not given by splits")
        return {name: [file for of in _by_split(part, name).values() for file in of]
                for name, part in src.items()}
    found: Dict[str, List[str]] = {}
    for one in src if isinstance(src, (list, tuple)) else [src]:
        path = os.fspath(one)
        path = os.fsdecode(path)
        for file in _found(path):
            found.setdefault(split or _split_of(os.path.relpath(file, path)
                                                if os.path.isdir(path) else file),
                             []).append(file)
    if not found:
        raise InvalidError("no files were given")
    return found


def _found(path: str) -> List[str]:
    """The files that a path or a pattern stands for."""
    if os.path.isdir(path):
        for ending in (".parquet", ".arrow"):
            files = sorted(glob.glob(os.path.join(glob.escape(path), "**", f"*{ending}"),
                                     recursive=True))
            if files:
                return files
        raise NotFoundError(f"{path}: no .parquet or .arrow files", None, 2)
    files = [path] if os.path.lexists(path) else sorted(glob.glob(path, recursive=True))
    if not files:
        raise NotFoundError(f"{path}: no such file", None, 2)
    return files


def _split_of(path: str) -> str:
    """The split that a file's name or its folder tells."""
    folder, name = os.path.split(path)
    stem = name.split(".")[0]
    shard = _SHARD.fullmatch(stem)
    if shard and re.fullmatch(r"\w+", shard.group(1)):
        return shard.group(1)
    known = _KNOWN.search(stem.lower())
    if known:
        return known.group(1)
    above = os.path.basename(folder)
    return above if re.fullmatch(_SPLITS, above.lower()) else "all"


def _features_beside(path: str) -> Features:
    """Hugging Face's features, of a file beside or one or two folders above."""
    folder = os.path.dirname(os.path.abspath(path))
    for _ in range(3):
        for name in ("dataset_info.json", "dataset_infos.json"):
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    info: Any = json.load(file)
            except FileNotFoundError:
                continue
            except ValueError as exc:
                raise InvalidError(f"{os.path.join(folder, name)}: {exc}") from None
            found = info if "features" in info else next(iter(info.values()), {})
            features: Features = found.get("features") or {}
            return features
        folder = os.path.dirname(folder)
    return {}


def to_parquet(dataset: Union[Dataset, Path], path: Path, *, split: Optional[str] = None,
               fidelity: Optional[int] = None, jpeg: str = "progressive",
               image_field: str = "image", label_field: str = "label",
               shard_nbytes: int = 500 << 20) -> List[str]:
    """Writes a dataset as Parquet files, as datasets.load_dataset("parquet") reads them: with an
    Image feature, class names, and a column for each attribute.

    dataset: a path, or what pcr.open() returned.
    path: a folder, in which each split becomes data/SPLIT-00000-of-00001.parquet and so on ("all"
        becomes "train"), which load_dataset(path) reads; it has no such files yet. Or a name that
        ends in .parquet, of one file with one split, which is replaced if there is one.
    split: only this one, of a path.
    fidelity: 1 to G; None is G. jpeg: "progressive" or "baseline", as in Sample.read(), or
        "source": the source files byte for byte, as Sample.original() gives them. Samples that were
        kept whole are their files.
    image_field, label_field: the columns' names. The image's is a struct {bytes, path}, where the
        path is the key. A label is an integer or float, null where there is none; where a sample
        has several, a list.
    shard_nbytes: about how large a file may become, of a folder.

    Attributes of mixed types become text of JSON. Blobs are not written: pcr.export() writes them
    in its formats. Returns the files' paths. Each has its name when it is complete; in memory is a
    row group of 32 MiB. Raises InvalidError, OSError, what Sample.read() or original() raises,
    ModuleNotFoundError without pyarrow.
    """
    need("pyarrow.parquet", "to_parquet()")
    target = os.fsdecode(path)
    whole(shard_nbytes, "shard_nbytes", 1, 64)
    if isinstance(dataset, Dataset) and split is not None:
        raise InvalidError("split applies to a path; this dataset is already open")
    opened = dataset if isinstance(dataset, Dataset) else open_dataset(dataset, split=split)
    if fidelity_number(fidelity) > opened.group_count:
        raise InvalidError(f"fidelity is {fidelity}, the dataset has 1 to {opened.group_count}")
    if jpeg == "source" and fidelity not in (None, opened.group_count):
        raise InvalidError("jpeg is 'source', whose fidelity is the full one")
    names = [name for name, count in opened.splits.items() if count] or ["all"]
    one = opened.split if opened.split in opened.splits else None
    parts = ({one or names[0]: opened} if one or len(names) == 1 else
             {name: opened.of_split(name) for name in names})
    table = _Table(opened, image_field, label_field, fidelity, jpeg)
    if target.endswith(".parquet"):
        if len(parts) != 1:
            raise InvalidError(f"one file has one split; there are {', '.join(parts)}: give "
                               "split=, or a folder")
        table.write(target, opened, range(len(opened)))
        return [target]
    return [file for name, part in parts.items()
            for file in _shards(table, part, name, target, shard_nbytes)]


def _shards(table: _Table, part: Dataset, split: str, folder: str, nbytes: int) -> Iterator[str]:
    """Writes the files of one split."""
    name = "train" if split == "all" else split
    if not re.fullmatch(r"\w+(\.\w+)*", name):
        raise InvalidError(f"a split called {split!r}, but Hugging Face's names have letters, "
                           "digits and _ only")
    folder = os.path.join(folder, "data")
    os.makedirs(folder, exist_ok=True)
    if glob.glob(os.path.join(glob.escape(folder), f"{glob.escape(name)}-*.parquet")):
        raise InvalidError(f"{folder} has files of the split {name!r} already")
    total = part.prefix_nbytes(fidelity_number(table.fidelity) or part.group_count)
    count = max(1, min(-(-total // nbytes), len(part), 99999))
    for i in range(count):
        path = os.path.join(folder, f"{name}-{i:05}-of-{count:05}.parquet")
        table.write(path, part, range(i * len(part) // count, (i + 1) * len(part) // count))
        yield path


class _Table:
    """The columns of a dataset in Parquet, and their rows."""

    def __init__(self, dataset: Dataset, image: str, label: str, fidelity: Optional[int],
                 jpeg: str) -> None:
        pa = need("pyarrow", "Parquet")
        self._image, self._label, self.fidelity, self._jpeg = image, label, fidelity, jpeg
        kind = dataset.schema["label"]
        offsets = dataset.all_labels()[1]
        counts = offsets[1:] - offsets[:-1]
        self._several = bool((counts > 1).any())
        fields = [pa.field(image, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
        features: Dict[str, Any] = {image: {"_type": "Image"}}
        if kind != "none" and counts.any():
            number = pa.float64() if kind == "floats" else pa.int64()
            of = (class_feature(dataset.classes) if dataset.classes else
                  {"dtype": str(number).replace("double", "float64"), "_type": "Value"})
            fields.append(pa.field(label, pa.list_(number) if self._several else number))
            features[label] = ({"feature": of, "length": -1, "_type": "Sequence"}
                               if self._several else of)
        self._has_label = len(fields) > 1
        self._attributes = _attribute_types(dataset)
        for name in (image, label) if self._has_label else (image,):
            if name in self._attributes:
                raise InvalidError(f"there is an attribute {name!r}: give "
                                   f"{'image' if name == image else 'label'}_field= another name")
        for name, of in self._attributes.items():
            fields.append(pa.field(name, pa.string() if of is None else of))
            features[name] = _feature(fields[-1].type)
        self._schema = pa.schema(fields, {"huggingface": json.dumps(
            {"info": {"features": features}}, ensure_ascii=False)})

    def write(self, path: str, dataset: Dataset, indices: range) -> None:
        """Writes some samples as a file, which gets its name at the end."""
        pq = need("pyarrow.parquet", "Parquet")
        plain = [field.name for field in self._schema if field.name != self._image]
        temporary = f"{path}.part"
        try:
            with open(temporary, "wb") as file:
                with pq.ParquetWriter(file, self._schema, compression="none",
                                      use_dictionary=plain, write_statistics=plain) as writer:
                    for rows in self._row_groups(dataset, indices):
                        writer.write_batch(rows)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.remove(temporary)
            raise

    def _row_groups(self, dataset: Dataset, indices: range) -> Iterator[Any]:
        rows: List[Dict[str, Any]] = []
        nbytes = 0
        for index in indices:
            rows.append(self._row(dataset[index]))
            nbytes += len(rows[-1][self._image]["bytes"])
            if nbytes >= ROW_GROUP_NBYTES:
                yield self._batch(rows)
                rows, nbytes = [], 0
        yield self._batch(rows)

    def _batch(self, rows: List[Dict[str, Any]]) -> Any:
        return need("pyarrow", "Parquet").RecordBatch.from_pylist(rows, schema=self._schema)

    def _row(self, sample: Any) -> Dict[str, Any]:
        row: Dict[str, Any] = {self._image: {
            "bytes": (sample.original() if self._jpeg == "source" else
                      sample.read(self.fidelity, jpeg=self._jpeg)),
            "path": sample.key_bytes.decode("utf-8", "backslashreplace")}}
        if self._has_label:
            row[self._label] = list(sample.labels) if self._several else sample.label
        for name, value in sample.attributes.items():
            of = self._attributes[name]
            row[name] = json.dumps(value, ensure_ascii=False) if of is None else value
        return row


def _attribute_types(dataset: Dataset) -> Dict[str, Any]:
    """The Arrow types of all attributes; None: text of JSON. Reads all heads."""
    pa = need("pyarrow", "Parquet")
    found: Dict[str, Any] = {}
    for begin in range(0, len(dataset), 1000):
        values: Dict[str, List[Any]] = {}
        for sample in dataset[begin:begin + 1000]:
            for name, value in sample.attributes.items():
                values.setdefault(name, []).append(value)
        for name, of in values.items():
            try:
                kind = pa.array(of).type
                if name in found and found[name] is not None:
                    kind = pa.unify_schemas([pa.schema([(name, found[name])]),
                                             pa.schema([(name, kind)])],
                                            promote_options="permissive").field(name).type
            except (pa.ArrowException, OverflowError, ValueError):
                kind = None
            found[name] = None if name in found and found[name] is None or not _can_be(kind) \
                else kind
    return {name: pa.string() if kind == pa.null() else kind for name, kind in found.items()}


def _can_be(kind: Any) -> bool:
    """Whether Parquet has a type: it has no structs without fields."""
    types = need("pyarrow", "Parquet").types
    if kind is None or (types.is_struct(kind) and not kind.num_fields):
        return False
    return all(_can_be(kind.field(i).type) for i in range(kind.num_fields))


def _feature(kind: Any) -> Any:
    """Hugging Face's description of a type."""
    types = need("pyarrow", "Parquet").types
    if types.is_struct(kind):
        return {kind.field(i).name: _feature(kind.field(i).type)
                for i in range(kind.num_fields)}
    if types.is_list(kind):
        inner = _feature(kind.value_type)
        # A list of structs: Sequence would make a struct of lists.
        return [inner] if types.is_struct(kind.value_type) else {
            "feature": inner, "length": -1, "_type": "Sequence"}
    return {"dtype": str(kind).replace("double", "float64"), "_type": "Value"}
