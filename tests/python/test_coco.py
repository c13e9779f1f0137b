# SPDX-License-Identifier: BSD-2-Clause
"""COCO's annotation files as a source."""

import json

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


def convert(images, annotations, dataset, **how):
    return pcr.convert(images, dataset, annotations=annotations, **how)


def test_boxes_and_what_goes_with_them(folder):
    file = document(folder / "instances.json")
    report = convert(folder / "images", file, folder / "d", shuffle=False)
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
    convert(folder / "images", file, folder / "d", segmentations=True)
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
    convert({"train": both, "val": both}, {"train": file, "val": empty}, folder / "d")
    with pcr.open(folder / "d", split="val") as ds:
        assert [s.key for s in ds] == ["val/a.jpg"] and ds[0].attributes["boxes"] == []
    with pytest.raises(pcr.InvalidError, match="is of split val, but no"):
        convert({"train": both}, {"val": file}, folder / "x")
    convert(both, empty, folder / "none")  # no box at all
    with pcr.Loader(folder / "none", split="all", size=8, boxes="boxes",
                    with_boxes=["box_classes"]) as loader:
        batch = next(iter(loader))
        assert batch.boxes[0].shape == (0, 4) and len(batch.box_columns["box_classes"][0]) == 0


BAD = [({"image_id": 8}, "image 8 is not"), ({"image_id": [7]}, r"image_id is \[7\]"),
       ({"category_id": 2}, "category 2 is not"), ({"image_id": "7"}, "image '7' is not"),
       ({"bbox": [1, 2, -3, 4]}, "negative size"), ({"bbox": [0, 0, 70, 3]}, "outside of its"),
       ({"bbox": [-5, 0, 7, 3]}, "outside of its image"), ({"bbox": [0, 38, 7, 30]}, "of 60 x 40"),
       ({"bbox": [0, 1, 2]}, "expected"), ({"bbox": None}, "bbox is null"),
       ({"bbox": [0, 0, "4", 1]}, "expected"), ({"bbox": [0, 0, 1e200, 1]}, "expected"),
       ({"area": "x"}, 'area is "x"'), ({"iscrowd": 2}, "iscrowd is 2")]


@pytest.mark.parametrize("change,message", BAD)
def test_annotations_that_cannot_be_right(folder, change, message):
    bad = {"id": 77, "image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5], **change}
    file = document(folder / "bad.json", [*ANNOTATIONS, bad])
    with pytest.raises(pcr.CorruptError, match=f"json, byte [0-9]+: annotation 77: .*{message}"):
        convert(folder / "images", file, folder / "d")
    assert not (folder / "d").exists()
    report = convert(folder / "images", file, folder / "d", on_bad="skip",
                                   dry_run=True)
    (where, what), = report.left_out
    offset = file.read_text().index('{"id": 77')
    assert where == f"{file}: byte {offset}" and what.startswith("annotation 77: ")
    assert report.progress.samples_done == 3


@pytest.mark.parametrize("value", ["NaN", "1" + "0" * 400, "tru", '"\\x"'])
def test_annotations_that_are_no_json(folder, value):
    text = document(folder / "bad.json").read_text().replace("55.5", value)
    (folder / "bad.json").write_text(text)
    with pytest.raises(pcr.CorruptError, match="byte [0-9]+: the annotation at place 0: "):
        convert(folder / "images", folder / "bad.json", folder / "d")
    report = convert(folder / "images", folder / "bad.json", folder / "d", on_bad="skip")
    assert len(report.left_out) == 1 and report.progress.samples_done == 3


def test_left_out(folder):
    file = document(folder / "bad.json", [{"image_id": 0, "category_id": 1}, *ANNOTATIONS])
    report = convert(folder / "images", file, folder / "d", on_bad="skip")
    (_, what), = report.left_out
    assert what.startswith("annotation at place 0: bbox is missing")
    with pcr.open(folder / "d") as ds:
        assert len(ds.column("boxes").values) == 3


def test_missing_images(folder):
    more = [*IMAGES, {"id": 5, "file_name": "gone.jpg"}]
    file = document(folder / "more.json", images=more)
    with pytest.raises(pcr.NotFoundError, match="image 5: .*gone.jpg"):
        convert(folder / "images", file, folder / "d")
    report = convert(folder / "images", file, folder / "d", on_bad="skip")
    assert len(report.bad) == 1 and report.progress.samples_done == 3


def test_names_of_categories(folder):
    """Two categories of one name would become one; one that no box has does not matter."""
    same = [*CATEGORIES, {"id": 4, "name": "person"}]
    convert(folder / "images", document(folder / "a.json", categories=same),
                          folder / "d")
    other = {"id": 9, "image_id": 7, "category_id": 4, "bbox": [0, 0, 5, 5]}
    file = document(folder / "b.json", [*ANNOTATIONS, other, {**other, "id": 10}],
                    categories=same)
    with pytest.raises(pcr.CorruptError, match="annotation 9: category 4 has the name of 1"):
        convert(folder / "images", file, folder / "x")
    report = convert(folder / "images", file, folder / "x", on_bad="skip")
    assert [what[:14] for _, what in report.left_out] == ["annotation 9: ", "annotation 10:"]
    with pcr.open(folder / "x") as ds:
        assert 4 not in ds.column("box_category_ids").values


@pytest.mark.parametrize("images,error,message", [
    ([*IMAGES, {"id": 7, "file_name": "x.jpg"}], pcr.CorruptError, "image 7 is there twice"),
    ([*IMAGES, {"id": 8, "file_name": "./a.jpg"}], pcr.InvalidError, "the same key 'a.jpg'"),
    ([{"id": 8, "file_name": "x/../../a.jpg"}], pcr.InvalidError, "below the images' folder"),
    ([{"id": 8, "file_name": "/etc/passwd"}], pcr.InvalidError, "below the images' folder"),
    ([{"id": 8}], pcr.CorruptError, "expected an id and a file_name"),
    ([{"id": 8, "file_name": "a.jpg", "width": "x"}], pcr.CorruptError, "are no numbers"),
    ([{"file_name": "a.jpg"}], pcr.CorruptError, "image at place 0: expected an id"),
    ([5], pcr.CorruptError, "image at place 0: expected an object"),
    (None, pcr.FormatError, "no list of images")])
def test_images_that_cannot_be(folder, images, error, message):
    file = document(folder / "bad.json", [], images)
    with pytest.raises(error, match=message):
        convert(folder / "images", file, folder / "d")


def test_images_that_are_left_out(folder):
    more = [*IMAGES, {"id": 7, "file_name": "x.jpg"}, {"file_name": "y.jpg"}]
    file = document(folder / "bad.json", images=more)
    report = convert(folder / "images", file, folder / "d", on_bad="skip")
    assert sorted(what for _, what in report.left_out) == [
        "image 7 is there twice", "the image at place 4: expected an id and a file_name"]
    assert report.progress.samples_done == 3


@pytest.mark.parametrize("text", [
    "", "{", "[]", "3", "[" * 200000, '{"images": []}', "\xff",
    '{"images": [], "annotations": [], "categories": []} 3',
    '{"images": [{"id": 1}', '{"a\\', '{"a": "b', '{"a": nul}',
    '{"a" 3}', '{"a": }', '{"a": [1 2]}', '{"a": [1}', '{"a": {"b": [}]}}', '{3: 4}'])
def test_no_such_file(folder, text):
    (folder / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(pcr.FormatError, match="x.json"):
        convert(folder / "images", folder / "x.json", folder / "d")


@pytest.mark.parametrize("indent,order", [(None, False), (3, True)])
def test_parts_beyond_the_window(folder, indent, order):
    """Parts and names that are larger than what is read at once, with blanks, in any order."""
    polygon = [[i / 7 for i in range(100000)]]
    large = {**ANNOTATIONS[0], "segmentation": polygon}
    lists = {"name \\\" \u00e9" * 200000: [1, {"a": "]}"}], "images": IMAGES,
             "annotations": [large], "categories": CATEGORIES}
    names = sorted(lists) if order else reversed(list(lists))
    file = folder / "large.json"
    file.write_text("\ufeff" + json.dumps({name: lists[name] for name in names}, indent=indent))
    convert(folder / "images", file, folder / "d", segmentations=True)
    with pcr.open(folder / "d") as ds:
        assert ds[ds.find("deep/b.jpg")].attributes["box_segmentations"] == [polygon]


def test_ids_that_are_texts(folder):
    images = [{"id": "x", "file_name": "a.jpg"}]
    file = document(folder / "texts.json", [{"id": "n", "image_id": "x", "category_id": "c",
                                             "bbox": [1, 2, 3, 4]}], images,
                    [{"id": "c", "name": "cat"}])
    convert(folder / "images", file, folder / "d")
    with pcr.open(folder / "d") as ds:
        assert ds[0].attributes == {"image_id": "x", "boxes": [[1, 2, 4, 6]], "box_areas": [12],
                                    "box_category_ids": ["c"], "box_classes": ["cat"],
                                    "box_iscrowd": [0]}


def test_options(folder):
    file = document(folder / "instances.json")
    for how in ({"max_side": 20}, {"classes": ["person"]}, {"layout": "flat"},
                {"label_field": "x"}, {"key_dot": "last"}, {"format": "voc"}):
        with pytest.raises(pcr.InvalidError):
            convert(folder / "images", file, folder / "d", **how)
    with pytest.raises(pcr.InvalidError, match="only for annotations"):
        pcr.convert(folder / "images", folder / "d", segmentations=True)
    with pytest.raises(pcr.InvalidError, match="name the folder of the images"):
        pcr.convert(file, folder / "d", format="coco")
    with pytest.raises(pcr.InvalidError, match="is no folder"):
        convert(file, file, folder / "d")
    with pytest.raises(pcr.NotFoundError):
        convert(folder / "images", folder / "none.json", folder / "d")
    with pytest.raises(pcr.InvalidError, match="by NAME=FOLDER"):
        convert([folder / "images", folder / "images" / "deep"], file, folder / "d")


def test_splits_by_names(folder):
    """Of files, unless a folder's is given."""
    train = document(folder / "instances_train2017.json", images=IMAGES[:2])
    val = document(folder / "instances_val2017.json", [], IMAGES[2:])
    convert(folder / "images", [train, val], folder / "d")
    with pcr.open(folder / "d") as ds:
        assert list(ds.splits) == ["train", "val"]
    convert({"mine": folder / "images"}, train, folder / "e")
    with pcr.open(folder / "e") as ds:
        assert list(ds.splits) == ["mine"]


def test_same_command_again(folder):
    """Images are files: nothing is kept meanwhile, and what is done is not done again."""
    file = document(folder / "instances.json")
    convert(folder / "images", file, folder / "d")
    assert convert(folder / "images", file, folder / "d").progress.records_kept == 1
