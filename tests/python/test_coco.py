# SPDX-License-Identifier: BSD-2-Clause
"""COCO's annotation files as a source."""

import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import pcr
from images import encode, picture

IMAGES = [{"id": 7, "file_name": "a.jpg", "width": 60, "height": 40},
          {"id": 3, "file_name": "deep/b.jpg", "width": 60, "height": 40},
          {"id": 12, "file_name": "c.jpg", "width": 60, "height": 40}]
CATEGORIES = [{"id": 90, "name": "tooth brush"}, {"id": 1, "name": "person"}]
ANNOTATIONS = [
    {"id": 1, "image_id": 3, "category_id": 1, "bbox": [1.5, 2, 10, 20.25], "area": 55.5,
     "iscrowd": 0, "segmentation": [[1, 2, 11.5, 2, 6, 22]]},
    {"id": 2, "image_id": 7, "category_id": 90, "bbox": [0, 0, 60, 40], "area": 2400, "iscrowd": 1,
     "segmentation": {"size": [40, 60], "counts": [0, 2400]}},
    {"id": 3, "image_id": 3, "category_id": 90, "bbox": [30, 30, 30.4, 10]},
]


@pytest.fixture
def folder(tmp_path):
    for number, image in enumerate(IMAGES):
        path = tmp_path / "images" / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(picture(number, 60, 40), "JPEG"))
    return tmp_path


def document(path, annotations=ANNOTATIONS, images=IMAGES, categories=CATEGORIES):
    path.write_text(json.dumps({"info": {}, "licenses": [], "images": images,
                                "annotations": annotations, "categories": categories}))
    return path


def test_boxes_and_what_goes_with_them(folder):
    file = document(folder / "instances.json")
    report = pcr.formats.from_coco(folder / "images", file, folder / "d", shuffle=False)
    assert report.progress.samples_done == 3 and not report.left_out
    with pcr.open(folder / "d") as ds:
        assert ds.columns == {"box_areas": "float64[]", "box_category_ids": "int64[]",
                              "box_classes": "string[]", "box_iscrowd": "int64[]",
                              "boxes": "float64[][4]", "image_id": "int64"}
        assert [s.key for s in ds] == ["a.jpg", "deep/b.jpg", "c.jpg"]
        assert [s.attributes for s in ds] == [
            {"image_id": 7, "boxes": [[0, 0, 60, 40]], "box_classes": ["tooth brush"],
             "box_category_ids": [90], "box_areas": [2400], "box_iscrowd": [1]},
            {"image_id": 3, "boxes": [[1.5, 2, 11.5, 22.25], [30, 30, 60.4, 40]],
             "box_classes": ["person", "tooth brush"], "box_category_ids": [1, 90],
             "box_areas": [55.5, 304], "box_iscrowd": [0, 0]},
            {"image_id": 12, "boxes": [], "box_classes": [], "box_category_ids": [],
             "box_areas": [], "box_iscrowd": []}]
        with pcr.Loader(ds, size=(20, 30), transform="stretch", shuffle=False, boxes="boxes",
                        with_boxes=["box_classes", "box_category_ids"]) as loader:
            batch = next(iter(loader))
        assert [b.tolist() for b in batch.boxes] == [
            [[0, 0, 30, 20]], [[0.75, 1, 5.75, 11.125], [15, 15, 30, 20]], []]
        assert batch.box_columns["box_classes"][1].tolist() == ["person", "tooth brush"]


def test_segmentations(folder):
    file = document(folder / "instances.json")
    pcr.formats.from_coco(folder / "images", file, folder / "d", segmentations=True)
    with pcr.open(folder / "d") as ds:
        assert ds.columns["box_segmentations"] == "json"
        assert ds[ds.find("a.jpg")].attributes["box_segmentations"] == [
            ANNOTATIONS[1]["segmentation"]]
        assert ds[ds.find("deep/b.jpg")].attributes["box_segmentations"] == [
            ANNOTATIONS[0]["segmentation"], None]
        with pcr.Loader(ds, size=(40, 30), transform="stretch", boxes="boxes", shuffle=False,
                        box_min_size=6, with_boxes=["box_segmentations"]) as loader:
            batch = next(iter(loader))
        kept = dict(zip(batch.keys, batch.box_columns["box_segmentations"]))
        assert list(kept["a.jpg"]) == [ANNOTATIONS[1]["segmentation"]]
        assert list(kept["deep/b.jpg"]) == [None] and not len(kept["c.jpg"])


def test_splits_and_images_without_annotations(folder):
    """Images of one name are below their splits."""
    file = document(folder / "instances.json")
    empty = document(folder / "empty.json", [], IMAGES[:1])
    both = folder / "images"
    pcr.formats.from_coco({"train": both, "val": both}, {"train": file, "val": empty}, folder / "d")
    with pcr.open(folder / "d", split="val") as ds:
        assert [s.key for s in ds] == ["val/a.jpg"] and ds[0].attributes["boxes"] == []
    with pytest.raises(pcr.InvalidError, match="different splits"):
        pcr.formats.from_coco({"train": both}, {"val": file}, folder / "x")
    pcr.formats.from_coco(both, empty, folder / "none")  # no box at all
    with pcr.Loader(folder / "none", split="all", size=8, boxes="boxes",
                    with_boxes=["box_classes"]) as loader:
        batch = next(iter(loader))
        assert batch.boxes[0].shape == (0, 4) and len(batch.box_columns["box_classes"][0]) == 0


BAD = [({"image_id": 8}, "image 8, which is not"), ({"image_id": [7]}, r"image \[7\]"),
       ({"category_id": 2}, "category 2, which is not"),
       ({"bbox": [1, 2, -3, 4]}, "negative size"), ({"bbox": [0, 0, 70, 3]}, "outside of its"),
       ({"bbox": [-5, 0, 7, 3]}, "outside of its image"), ({"bbox": [0, 38, 7, 30]}, "of 60 x 40"),
       ({"bbox": [0, 1, 2]}, "expected"), ({"bbox": None}, "bbox is None"),
       ({"bbox": [0, 0, float("nan"), 1]}, "expected"), ({"bbox": [0, 0, "4", 1]}, "expected"),
       ({"bbox": [0, 0, 10**400, 1]}, "expected"), ({"area": "x"}, "area is 'x'"),
       ({"iscrowd": 2}, "iscrowd is 2")]


@pytest.mark.parametrize("change,message", BAD)
def test_annotations_that_cannot_be_right(folder, change, message):
    bad = {"id": 77, "image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5], **change}
    file = document(folder / "bad.json", [*ANNOTATIONS, bad])
    with pytest.raises(pcr.CorruptError, match=f"bad.json: annotation 77: .*{message}"):
        pcr.formats.from_coco(folder / "images", file, folder / "d")
    assert not (folder / "d").exists()
    if "id" in message:
        return
    report = pcr.formats.from_coco(folder / "images", file, folder / "d", on_bad="skip",
                                   dry_run=True)
    (where, _), = report.left_out
    assert where.endswith("annotation 77") and report.progress.samples_done == 3


def test_left_out(folder):
    file = document(folder / "bad.json", [{"image_id": 0, "category_id": 1}, *ANNOTATIONS])
    report = pcr.formats.from_coco(folder / "images", file, folder / "d", on_bad="skip")
    (where, what), = report.left_out
    assert where == f"{file}: annotation at place 0" and what.startswith("image 0")
    with pcr.open(folder / "d") as ds:
        assert len(ds.column("boxes").values) == 3


def test_missing_images(folder):
    more = [*IMAGES, {"id": 5, "file_name": "gone.jpg"}]
    file = document(folder / "more.json", images=more)
    with pytest.raises(pcr.NotFoundError, match="image 5: no file .*gone.jpg"):
        pcr.formats.from_coco(folder / "images", file, folder / "d")
    report = pcr.formats.from_coco(folder / "images", file, folder / "d", on_bad="skip")
    assert len(report.bad) == 1 and report.progress.samples_done == 3


def test_names_of_categories(folder):
    """Two categories of one name would become one; one that no box has does not matter."""
    same = [*CATEGORIES, {"id": 4, "name": "person"}]
    pcr.formats.from_coco(folder / "images", document(folder / "a.json", categories=same),
                          folder / "d")
    other = {"id": 9, "image_id": 7, "category_id": 4, "bbox": [0, 0, 5, 5]}
    file = document(folder / "b.json", [*ANNOTATIONS, other], categories=same)
    with pytest.raises(pcr.CorruptError, match="annotation 9: category 4 has the name of 1"):
        pcr.formats.from_coco(folder / "images", file, folder / "x")


@pytest.mark.parametrize("images,error,message", [
    ([*IMAGES, {"id": 7, "file_name": "x.jpg"}], pcr.CorruptError, "image 7 is there twice"),
    ([*IMAGES, {"id": 8, "file_name": "./a.jpg"}], pcr.CorruptError, "7 and 8 are both"),
    ([{"id": 8, "file_name": "../a.jpg"}], pcr.InvalidError, "below the images' folder"),
    ([{"id": 8, "file_name": "/etc/passwd"}], pcr.InvalidError, "below the images' folder"),
    ([{"id": 8}], pcr.FormatError, "expected an id and a file_name"),
    ([{"file_name": "a.jpg"}], pcr.FormatError, "image 0: expected an id"),
    ([5], pcr.FormatError, "no list of images"), (None, pcr.FormatError, "no list of images")])
def test_images_that_cannot_be(folder, images, error, message):
    file = document(folder / "bad.json", [], images)
    with pytest.raises(error, match=message):
        pcr.formats.from_coco(folder / "images", file, folder / "d", on_bad="skip")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 200000, '{"images": []}', "\xff"])
def test_no_such_file(folder, text):
    (folder / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(pcr.FormatError, match="x.json"):
        pcr.formats.from_coco(folder / "images", folder / "x.json", folder / "d")


def test_options(folder):
    file = document(folder / "instances.json")
    for how in ({"max_side": 20}, {"classes": ["person"]}):
        with pytest.raises(pcr.InvalidError, match="not for COCO"):
            pcr.formats.from_coco(folder / "images", file, folder / "d", **how)
    with pytest.raises(FileNotFoundError):
        pcr.formats.from_coco(folder / "images", folder / "none.json", folder / "d")


def test_memory(folder):
    """What is not kept of a file is not held while it is read."""
    polygon = [[round(i * 1.37, 2) for i in range(200)]]
    file = document(folder / "large.json", [
        {"id": i, "image_id": 7, "category_id": 1, "bbox": [0, 0, i % 50, 3.5], "area": 1.5,
         "iscrowd": 0, "segmentation": polygon} for i in range(800)])
    tracemalloc.start()
    try:
        pcr.formats.from_coco(folder / "images", file, folder / "d", dry_run=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * file.stat().st_size


def test_command(folder):
    file = document(folder / "instances.json", [*ANNOTATIONS, {"id": 9, "image_id": 0,
                                                               "category_id": 1}])
    command = [sys.executable, "-m", "pcr", "import", folder / "images", folder / "d",
               "--annotations", file]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "annotation 9: image 0" in done.stderr
    done = subprocess.run([*command, "--on-bad", "skip"], stderr=subprocess.PIPE, text=True,
                          check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 3 and "annotation 9: image 0" in done.stderr
    with pcr.open(folder / "d") as ds:
        assert np.array_equal(np.sort(ds.column("image_id")), [3, 7, 12])
    wrong = subprocess.run([*command, "--image-field", "x"], stderr=subprocess.PIPE, text=True,
                           check=False)
    assert wrong.returncode == 2 and "--annotations" in wrong.stderr
