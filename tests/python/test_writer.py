# SPDX-License-Identifier: BSD-2-Clause
"""pcr.convert and pcr.write."""

import io
import json
import math
import os
import threading

import numpy as np
import pytest

import pcr
from images import encode, folder, picture, pixels_of


def files_of(path):
    return {p.name: p.read_bytes() for p in path.iterdir() if not p.name.startswith(".")}


def test_report(tree, tmp_path):
    seen = []
    report = pcr.convert(tree, tmp_path / "out", record_samples=10, progress=seen.append)
    assert report.progress.sample_count == report.progress.samples_done == 48
    assert report.progress.records_done == report.progress.record_count >= 5
    assert report.progress.source_nbytes == sum(
        p.stat().st_size for p in tree.rglob("*.jpg"))
    assert report.bad == () and report.left_out == ()
    assert seen and all(isinstance(p, pcr.WriteProgress) for p in seen)
    assert [p.samples_done for p in seen] == sorted(p.samples_done for p in seen)


def test_threads_do_not_matter(tree, tmp_path):
    for threads in (1, 3):
        pcr.convert(tree, tmp_path / str(threads), threads=threads, record_samples=7)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "3")


def test_order(tree, tmp_path):
    keys = {}
    for name, options in {"a": {}, "b": {"seed": 1}, "plain": {"shuffle": False}}.items():
        pcr.convert(tree, tmp_path / name, **options)
        with pcr.open(tmp_path / name) as ds:
            keys[name] = [s.key for s in ds]
    assert len({tuple(k) for k in keys.values()}) == 3
    assert len({tuple(sorted(k)) for k in keys.values()}) == 1
    assert keys["plain"] == sorted(keys["plain"])


def test_ladders(tree, tmp_path):
    assert pcr.ladders() == ("packed", "bitplane", "classic")
    pcr.convert(tree, tmp_path / "classic", ladder="classic")  # which packed cannot use
    with pcr.open(tmp_path / "classic") as ds:
        assert ds.describe()["coding"] == "scans"
        assert ds.group_count == 10 and ds.ladder.startswith("ladder classic\n")
        text = ds.ladder
    file = tmp_path / "ladder.txt"
    file.write_text(text)
    for name, ladder in (("text", text), ("file", file)):
        pcr.convert(tree, tmp_path / name, ladder=ladder)
        assert files_of(tmp_path / name) == files_of(tmp_path / "classic")
    for ladder, coding in (("bitplane", None), (None, "packed"), ("packed", "scans")):
        where = tmp_path / f"{ladder}-{coding}"
        pcr.convert(tree, where, ladder=ladder, coding=coding)
        with pcr.open(where) as ds:
            assert ds.describe()["coding"] == (coding or "packed")
            assert ds.ladder.startswith(f"ladder {ladder or 'packed'}\n")
    with pytest.raises(pcr.InvalidError, match="coding packed cannot use ladder classic"):
        pcr.convert(tree, tmp_path / "none", ladder="classic", coding="packed")
    with pytest.raises(pcr.InvalidError, match="coding packed cannot use ladder classic"):
        pcr.Writer(tmp_path / "none", ladder="classic", coding="packed")
    with pytest.raises(pcr.InvalidError, match="none such"):
        pcr.convert(tree, tmp_path / "none", ladder="none such")
    with pytest.raises(pcr.InvalidError):
        pcr.convert(tree, tmp_path / "none", ladder="ladder broken\ngroup\n")
    with pytest.raises(FileNotFoundError):
        pcr.convert(tree, tmp_path / "none", ladder=tmp_path / "no file")


def test_lists(tree, tmp_path):
    rows = [{"path": "train/ant/0.jpg", "key": "first", "labels": [3, -1],
             "attributes": {"where": "here"}}, {"path": "val/bee/1.jpg", "labels": [2]}]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    pcr.convert(tmp_path / "list.jsonl", tmp_path / "out", root=tree, shuffle=False,
                format="list")
    with pcr.open(tmp_path / "out") as ds:
        assert [s.key for s in ds] == ["first", "val/bee/1.jpg"]
        assert ds[0].labels == (3, -1) and ds[0].attributes == {"where": "here"}
        assert ds.labels.tolist() == [3, 2]


def test_bad_inputs(tmp_path):
    source = folder(tmp_path / "source", splits=("train",), classes=("ant",), count=3)
    bad = source / "train" / "ant" / "bad.jpg"
    bad.write_bytes((source / "train" / "ant" / "0.jpg").read_bytes()[:900])
    with pytest.raises((pcr.CorruptError, pcr.TruncatedError), match="bad.jpg"):
        pcr.convert(source, tmp_path / "fail")
    report = pcr.convert(source, tmp_path / "skip", on_bad="skip")
    assert report.progress.samples_bad == 1 and len(report.bad) == 1
    assert report.bad[0].path.endswith("bad.jpg")
    assert isinstance(report.bad[0].reason, pcr.PcrError)
    pcr.convert(source, tmp_path / "opaque", on_bad="opaque")
    with pcr.open(tmp_path / "opaque") as ds:
        sample = ds[ds.find("train/ant/bad.jpg")]
        assert sample.coding == "opaque" and sample.read() == bad.read_bytes()


def test_nothing_to_convert(tmp_path):
    with pytest.raises(pcr.PcrError):
        pcr.convert(tmp_path / "nothing", tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_dry_run(tree, tmp_path):
    report = pcr.convert(tree, tmp_path / "out", dry_run=True)
    assert report.progress.samples_done == 48
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_continued(tree, tmp_path):
    whole = pcr.convert(tree, tmp_path / "whole", record_samples=5, threads=1)

    class Stop(Exception):
        pass

    def stop(progress):
        if progress.records_done >= 1:
            raise Stop

    with pytest.raises(Stop):
        pcr.convert(tree, tmp_path / "parts", record_samples=5, threads=1, progress=stop)
    report = pcr.convert(tree, tmp_path / "parts", record_samples=5)
    assert report.progress.record_count == whole.progress.record_count
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


def test_write_and_read_back(tmp_path):
    data = [encode(picture(i, 40, 30)) for i in range(6)]
    samples = [
        ("plain", data[0]),
        (b"bytes \xff", bytearray(data[1]), 7),
        ("labels", memoryview(data[2]), [1, -2, 3], None),
        ("attributes", data[3], None, {"a": [1, {"b": "ü"}]}, "all"),
        pcr.NewSample("function", lambda: data[4], label=np.int64(5)),
        pcr.NewSample("other split", data[5], split="test"),
    ]
    report = pcr.write(tmp_path / "out", iter(samples), shuffle=False)
    assert report.progress.samples_done == 6
    with pcr.open(tmp_path / "out") as ds:
        assert ds.splits == {"all": 5, "test": 1} and ds.classes == ()
        assert [s.labels for s in ds] == [(), (7,), (1, -2, 3), (), (5,), ()]
        assert ds[1].key_bytes == b"bytes \xff" and ds.find(ds[1].key) == 1
        assert ds[3].attributes == {"a": [1, {"b": "ü"}]}
        for sample, source in zip(ds, data):
            np.testing.assert_array_equal(sample.decode(), pixels_of(source))


def test_write_classes(tmp_path):
    data = encode(picture(1, 40, 30))
    pcr.write(tmp_path / "a", [("1", data, "dog"), ("2", data, "cat")], shuffle=False)
    with pcr.open(tmp_path / "a") as ds:
        assert ds.classes == ("cat", "dog") and ds.labels.tolist() == [1, 0]
    pcr.write(tmp_path / "b", [("1", data, "dog"), ("2", data, 0)], shuffle=False,
              classes=["eel", "dog"])
    with pcr.open(tmp_path / "b") as ds:
        assert ds.classes == ("eel", "dog") and ds.labels.tolist() == [1, 0]
    with pytest.raises(pcr.InvalidError, match="no class has the name 'cow'"):
        pcr.write(tmp_path / "c", [("1", data, "cow")], classes=["eel"])


def test_write_refuses(tmp_path):
    data = encode(picture(1, 40, 30))
    for samples in ([("twice", data), ("twice", data)], [("a\0b", data)]):
        with pytest.raises(pcr.InvalidError):
            pcr.write(tmp_path / "out", samples)
    for options in ({"on_bad": "ignore"}, {"seed": -1}, {"record_samples": 0},
                    {"threads": 0}, {"opaque": "fail"}):
        with pytest.raises(pcr.InvalidError):
            pcr.write(tmp_path / "out", [("a", data)], **options)
    with pytest.raises(ValueError):
        pcr.write(tmp_path / "out", [("a", data, None, {"x": float("nan")})])
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_data_functions_that_fail(tmp_path):
    good = encode(picture(1, 40, 30))

    def missing():
        raise FileNotFoundError(2, "gone")

    def broken():
        raise ZeroDivisionError("a mistake in the function")

    samples = [("good", good), ("missing", missing)]
    with pytest.raises(FileNotFoundError, match="gone"):
        pcr.write(tmp_path / "fail", samples)
    report = pcr.write(tmp_path / "skip", samples, on_bad="skip")
    assert [bad.path for bad in report.bad] == ["missing"]
    assert isinstance(report.bad[0].reason, FileNotFoundError)
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        pcr.write(tmp_path / "broken", [("good", good), ("broken", broken)],
                  on_bad="skip")


def test_from_another_thread(tree, tmp_path):
    reports = []
    thread = threading.Thread(
        target=lambda: reports.append(pcr.convert(tree, tmp_path / "out")))
    thread.start()
    thread.join()
    assert reports[0].progress.samples_done == 48


def test_one_writer_at_a_time(tree, tmp_path):
    raised = []

    def nested(_progress):
        if not raised:
            try:
                pcr.convert(tree, tmp_path / "out")
            except OSError as exc:
                raised.append(exc)

    pcr.convert(tree, tmp_path / "out", progress=nested)
    assert isinstance(raised[0], BlockingIOError) and isinstance(raised[0], pcr.BusyError)


def test_sources_are_not_touched(tree, tmp_path):
    def state():
        return {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in tree.rglob("*")}

    before = state()
    pcr.convert(tree, os.fsencode(tmp_path / "out"))
    assert state() == before


def test_wrong_types(tmp_path):
    from pathlib import Path
    from PIL import Image
    data = encode(picture(1, 40, 30))
    pixels = picture(1, 40, 30)
    for value, message in [
            (None, "NoneType"), ("a.jpg", "str.*function that reads"), (5, "int"),
            (Path("a.jpg"), "PosixPath.*function that reads"),
            (Image.fromarray(pixels), "Image.*encoded first.*getvalue"),
            (pixels, r"ndarray.*uint8, its shape is \(30, 40, 3\).*encoded"),
            (np.zeros(4), "ndarray.*float64"), (io.BytesIO(data), "BytesIO"), ([1, 2], "list"),
            (memoryview(pixels), "memoryview")]:
        for given in (value, lambda value=value: value):
            with pytest.raises(TypeError, match=f"'key': the data is an? {message}"):
                pcr.write(tmp_path / "out", [("fine", data), ("key", given)], on_bad="skip")
    for key in (None, 5, 2.5, Path("a")):
        with pytest.raises(TypeError, match=f"sample 1: the key is an? {type(key).__name__}"):
            pcr.write(tmp_path / "out", [("fine", data), (key, data)])
    for sample, message in [
            (("k", data, 1, [1]), "'k': the attributes are a list"),
            (("k", data, 1, {"a": {1, 2}}), "'k': attributes: a set"),
            (("k", data, 1, None, None), "'k': the split is a NoneType"),
            (("k",), "sample 0 is a tuple of 1"), ("k", "sample 0 is a str"),
            ({"key": "k"}, "sample 0 is a dict")]:
        with pytest.raises(TypeError, match=message):
            pcr.write(tmp_path / "out", [sample])
    for sample in [("", data), ("k\0", data), ("\ud800", data), ("k", data, 1, None, ""),
                   ("k", data, 1, {"a": math.inf})]:
        with pytest.raises(pcr.InvalidError):
            pcr.write(tmp_path / "out", [sample])
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_data_of_any_memory(tmp_path):
    data = encode(picture(1, 40, 30))
    array = np.frombuffer(data, np.uint8)
    twice = np.repeat(array, 2)
    values = [bytearray(data), memoryview(data), memoryview(twice)[::2], array, twice[::2],
              lambda: array, lambda: bytearray(data)]
    pcr.write(tmp_path / "out", [(str(i), v, None, {"n": np.float32(0.5), "a": np.arange(2)})
                                 for i, v in enumerate(values)], shuffle=False)
    with pcr.open(tmp_path / "out") as ds:
        assert {s.source_nbytes for s in ds} == {len(data)}
        assert ds[0].attributes == {"n": 0.5, "a": [0, 1]}


def test_callbacks_that_fail(tmp_path):
    """The very exception comes out, and no dataset is there."""
    data = encode(picture(1, 40, 30))
    raised = [ZeroDivisionError("a"), KeyboardInterrupt(), FileNotFoundError(2, "gone"),
              pcr.LimitError("b"), MemoryError("c"), SystemExit(3)]

    def fail(exc):
        raise exc

    def items(exc):
        yield "fine", data
        raise exc

    for k, exc in enumerate(raised):
        for j, (samples, options) in enumerate([
                ([("fine", data), ("bad", lambda exc=exc: fail(exc))], {}),
                (items(exc), {}),
                ([("fine", data)], {"progress": lambda _p, exc=exc: fail(exc)})]):
            out = tmp_path / f"{k} {j}"
            with pytest.raises(type(exc)) as caught:
                pcr.write(out, samples, **options)
            assert caught.value is exc and not (out / "manifest.json").exists()


def test_duplicates(tmp_path):
    files = [encode(picture(i, 24, 20)) for i in range(3)]
    samples = [("a", files[0], "cat"), ("b", files[0], "cat"), ("c", files[1], "cat"),
               ("d", lambda: files[2], "dog"), ("e", files[2], "dog")]
    report = pcr.write(tmp_path / "d", samples, dedupe=True)
    assert (report.progress.samples_done, report.progress.samples_duplicate,
            report.progress.samples_across_splits) == (3, 2, 0)
    with pcr.open(tmp_path / "d") as ds:
        assert sorted(s.key for s in ds) == ["a", "c", "d"]
    left_out = [json.loads(line) for line in (tmp_path / "d/errors.jsonl").open()]
    assert {e["key"]: e["duplicate_of"] for e in left_out} == {"b": "a", "e": "d"}
    with pcr.Writer(tmp_path / "pushed", classes=["cat", "dog"], dedupe=True) as writer:
        for key, data, label in samples:
            writer.add(key, data() if callable(data) else data, label)
    assert files_of(tmp_path / "pushed") == files_of(tmp_path / "d")

    samples.append(("f", files[0], "dog"))
    with pytest.raises(pcr.InvalidError, match="'a' and 'f' are the same file"):
        pcr.write(tmp_path / "other", samples, dedupe=True)
    report = pcr.write(tmp_path / "other", samples, dedupe=True, on_bad="skip")
    assert sorted(bad.path for bad in report.bad) == ["a", "b", "f"]
    assert report.progress.samples_done == 2


@pytest.mark.parametrize("keep_originals", [True, False])
@pytest.mark.parametrize("coding", ["packed", "scans"])
def test_repeated_files(tmp_path, keep_originals, coding):
    """They are kept and told; also those of records that an earlier run has finished."""
    jpegs = [encode(picture(i, 80, 60)) for i in range(12)]
    png = encode(picture(1, 20, 20), "PNG")
    names = {f"{i:02}.jpg": data for i, data in enumerate(jpegs)}
    names.update({"20.jpg": jpegs[2], "21.jpg": jpegs[2], "22.png": png, "23.png": png,
                  "24.jpg": jpegs[9][:-2] + jpegs[9][-2:], "25.jpg": jpegs[5][:300]})
    for split, of in (("train", names), ("val", {"30.jpg": jpegs[0]})):
        for name, data in of.items():
            (tmp_path / "src" / split).mkdir(parents=True, exist_ok=True)
            (tmp_path / "src" / split / name).write_bytes(data)

    def convert(where, **how):
        return pcr.convert(tmp_path / "src", tmp_path / where, record_samples=4, threads=1,
                           on_bad="skip", layout="split", coding=coding,
                           keep_originals=keep_originals, **how)

    class Stop(Exception):
        pass

    def stop(p):
        if p.records_done >= 2:
            raise Stop

    told = [(f"{tmp_path}/src/{a}", f"{tmp_path}/src/{b}") for a, b in (
        ("train/20.jpg", "train/02.jpg"), ("train/21.jpg", "train/02.jpg"),
        ("train/23.png", "train/22.png"), ("train/24.jpg", "train/09.jpg"),
        ("val/30.jpg", "train/00.jpg"))]
    for where in ("whole", "dry"):
        report = convert(where, dry_run=where == "dry")
        assert list(report.repeated) == told and report.progress.samples_repeated == 5
        assert report.progress.repeated_across_splits == 1
        assert report.progress.samples_uncompared == 0 and report.progress.samples_done == 18
    with pytest.raises(Stop):
        convert("stopped", progress=stop)
    report = convert("stopped")
    assert report.progress.records_kept >= 2
    if keep_originals:
        assert list(report.repeated) == told and report.progress.samples_uncompared == 0
    else:  # only of files that are kept whole is enough known
        assert report.progress.samples_uncompared > 0 and set(report.repeated) <= set(told)
    report = convert("whole")  # which is there
    assert report.repeated == () and report.progress.records_kept > 4
    left_out = convert("without", dedupe=True)
    assert left_out.repeated == () and left_out.progress.samples_duplicate == 5
