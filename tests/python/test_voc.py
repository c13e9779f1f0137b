# SPDX-License-Identifier: BSD-2-Clause
"""Pascal VOC's XML files as a source."""

import pytest

import pcr
from images import encode, picture

HEAD = "<annotation><filename>{}</filename><size><width>60</width><height>40</height></size>"


def thing(name, *corners, more=""):
    box = "".join(f"<{corner}>{value}</{corner}>" for corner, value
                  in zip(("xmin", "ymin", "xmax", "ymax"), corners))
    return f"<object><name>{name}</name>{more}<bndbox>{box}</bndbox></object>"


@pytest.fixture
def voc(tmp_path):
    (tmp_path / "xml").mkdir()
    (tmp_path / "jpeg").mkdir()
    things = {"a": thing("dog", 1, 1, 60, 40, more="<difficult>1</difficult>") +
              thing("cat", 11, 5.5, 20, 30, more="<truncated>1</truncated>"), "b": "", "c":
              thing("dog", 0, 0, 60, 40)}
    for number, (name, of) in enumerate(things.items()):
        (tmp_path / "jpeg" / f"{name}.jpg").write_bytes(encode(picture(number, 60, 40), "JPEG"))
        write(tmp_path, name, HEAD.format(f"{name}.jpg") + of)
    return tmp_path


def write(folder, name, text):
    (folder / "xml" / f"{name}.xml").write_text(text + "</annotation>")


def convert(folder, **options):
    return pcr.formats.from_voc(folder / "jpeg", folder / "xml", folder / "d", shuffle=False,
                                **options)


def test_boxes(voc):
    report = convert(voc)
    assert report.progress.samples_done == 3 and not report.left_out
    with pcr.open(voc / "d") as ds:
        assert ds.columns == {"box_classes": "string[]", "box_difficult": "int64[]",
                              "box_truncated": "int64[]", "boxes": "float64[][4]"}
        assert [s.key for s in ds] == ["a.jpg", "b.jpg", "c.jpg"]
        assert ds[0].attributes == {
            "boxes": [[0, 0, 60, 40], [10, 4.5, 20, 30]], "box_classes": ["dog", "cat"],
            "box_difficult": [1, 0], "box_truncated": [0, 1]}
        assert ds[1].attributes["boxes"] == [] and ds[2].attributes["boxes"] == [[-1, -1, 60, 40]]
        with pcr.Loader(ds, size=(20, 30), transform="stretch", shuffle=False,
                        boxes="boxes") as loader:
            boxes = next(iter(loader)).boxes
        assert boxes[2].tolist() == [[0, 0, 30, 20]] and boxes[0][1].tolist() == [5, 2.25, 10, 15]


def test_lists_and_the_first_pixel(voc):
    (voc / "train.txt").write_text("c 1\n\na -1\n")
    (voc / "val.txt").write_text("b\n")
    convert(voc, lists={"train": voc / "train.txt", "val": voc / "val.txt"}, first_pixel=0)
    with pcr.open(voc / "d", split="train") as ds:
        assert [s.key for s in ds] == ["c.jpg", "a.jpg"]
        assert ds[0].attributes["boxes"] == [[0, 0, 60, 40]]
    with pytest.raises(pcr.InvalidError, match="expected 0 or 1"):
        convert(voc, first_pixel=2)
    (voc / "val.txt").write_text("b\nnone\n../a\n")
    with pytest.raises(pcr.NotFoundError, match="none.xml"):
        convert(voc, lists={"val": voc / "val.txt"})
    report = convert(voc, lists={"val": voc / "val.txt"}, on_bad="skip", dry_run=True)
    assert [path.split("/")[-1] for path, _ in report.left_out] == ["none.xml", "a.xml"]


@pytest.mark.parametrize("of,message", [
    (thing("", 1, 1, 2, 2), "object 1: no name"), (thing("x", 1, 1, 2), "no bndbox of four"),
    (thing("x", 1, 1, 2, "nan"), "no bndbox of four"), (thing("x", 9, 1, 2, 2), "negative size"),
    (thing("x", 1, 1, 2, 42), "outside of its image of 60.0 x 40.0"),
    (thing("x", 1, 1, 2, 4, more="<difficult>?</difficult>"), "0 or 1")])
def test_objects_that_cannot_be_right(voc, of, message):
    write(voc, "b", HEAD.format("b.jpg") + thing("dog", 1, 1, 5, 5) + of)
    with pytest.raises(pcr.CorruptError, match=f"b.xml: object 1: .*{message.split(': ')[-1]}"):
        convert(voc)
    (where, _), = convert(voc, on_bad="skip").left_out
    assert where.endswith("b.xml: object 1")
    with pcr.open(voc / "d") as ds:
        assert ds[1].attributes["box_classes"] == ["dog"]


BOMB = ("<!DOCTYPE annotation [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9)) + "]>")


@pytest.mark.parametrize("text", [
    BOMB + HEAD.format("&j;"), "<!DOCTYPE annotation SYSTEM 'file:///etc/passwd'>" +
    HEAD.format("b.jpg"), "", "<a>", HEAD.format(""), HEAD.format("b.jpg") + "<",
    "<?xml version='1.0' encoding='none'?>" + HEAD.format("b.jpg")])
def test_no_such_file(voc, text):
    write(voc, "b", text)
    with pytest.raises(pcr.FormatError, match="b.xml: not an annotation of VOC"):
        convert(voc)
    (where, _), = convert(voc, on_bad="skip", dry_run=True).left_out
    assert where.endswith("b.xml")


def test_files_of_images(voc):
    write(voc, "b", HEAD.format("../jpeg/b.jpg"))
    with pytest.raises(pcr.InvalidError, match="below the images' folder"):
        convert(voc)
    write(voc, "b", HEAD.format("none.jpg"))
    with pytest.raises(pcr.NotFoundError, match="b.xml: no file .*none.jpg"):
        convert(voc)
    assert len(convert(voc, on_bad="skip").bad) == 1
    with pytest.raises(pcr.InvalidError, match="not for VOC"):
        convert(voc, max_side=10)
