# SPDX-License-Identifier: BSD-2-Clause
"""tf.data on a TFRecord file, with decode_and_crop_jpeg."""
import os

import work

PACKAGES = ["numpy", "tensorflow-cpu"]
DOWNLOAD_MB = 330
ROWS = [{"title": "tf.data, fast DCT", "antialiased": False, "crops": "table",
         "options": {"antialiased": False}},
        {"title": "tf.data, accurate DCT", "antialiased": True, "crops": "table",
         "options": {"antialiased": True}}]


def _import():
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    import tensorflow
    return tensorflow


def make(source, dataset):
    tf = _import()
    with tf.io.TFRecordWriter(os.path.join(dataset, "images.tfrecord")) as out:
        for number, path in enumerate(work.paths_below(source)):
            features = {
                "jpeg": tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[work.read(path)])),
                "number": tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))}
            out.write(tf.train.Example(features=tf.train.Features(
                feature=features)).SerializeToString())


class Loader:
    def __init__(self, source, dataset, threads, table, whole, antialiased):
        tf = _import()
        crops = tf.constant([(top, left, height, width, int(mirrored))
                             for left, top, width, height, mirrored in table], tf.int32)
        method = "INTEGER_ACCURATE" if antialiased else "INTEGER_FAST"
        parts = {"jpeg": tf.io.FixedLenFeature([], tf.string),
                 "number": tf.io.FixedLenFeature([], tf.int64)}

        def decode(record):
            sample = tf.io.parse_single_example(record, parts)
            crop = crops[sample["number"]]
            pixels = tf.image.decode_and_crop_jpeg(sample["jpeg"], crop[:4], channels=3,
                                                   dct_method=method)
            pixels = tf.image.resize(pixels, (work.SIZE, work.SIZE), antialias=antialiased)
            pixels = tf.cond(crop[4] > 0, lambda: tf.reverse(pixels, [1]), lambda: pixels)
            return tf.cast(tf.round(pixels), tf.uint8), sample["number"]

        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        options.threading.max_intra_op_parallelism = 1
        self.batches = (
            tf.data.TFRecordDataset(os.path.join(dataset, "images.tfrecord"))
            .map(decode, num_parallel_calls=threads).batch(work.BATCH).prefetch(2)
            .with_options(options).as_numpy_iterator)

    def epoch(self):
        return self.batches()
