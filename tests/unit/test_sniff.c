/* SPDX-License-Identifier: BSD-2-Clause */
/* sniff: what bytes begin like, for each format that has a name, and for what has none. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/sniff.h"
#include "suite.h"

#define ROW(bytes, name) \
    { \
        bytes, sizeof(bytes) - 1, name \
    }

static const struct row {
    const char *bytes;
    size_t nbytes;
    const char *name;
} rows[] = {
    ROW("", "an empty file"),
    ROW("RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
    ROW("RIFF\x24\0\0\0WAVEfmt ", "WAV"),
    ROW("GIF87a", "GIF"),
    ROW("GIF89a\1\0", "GIF"),
    ROW("II*\0\x08\0\0\0\0\0", "TIFF"),
    ROW("MM\0*\0\0\0\x08", "TIFF"),
    ROW("II+\0\x08\0\0\0", "TIFF"),
    ROW("II*\0\x10\0\0\0CR\2\0", "Canon CR2"),
    ROW("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0", "BMP"),
    ROW("\0\0\0\x1C"
        "ftypavif\0\0\0\0avifmif1miaf",
        "AVIF"),
    ROW("\0\0\0\x18"
        "ftypheic\0\0\0\0mif1heic",
        "HEIC"),
    ROW("\0\0\0\x18"
        "ftypmif1\0\0\0\0mif1heic",
        "HEIC"),
    ROW("\0\0\0\x18"
        "ftypmif1\0\0\0\0mif1avif",
        "AVIF"),
    ROW("\0\0\0\x10"
        "ftypmif1\0\0\0\0",
        "HEIF"),
    ROW("\0\0\0\x20"
        "ftypisom\0\0\2\0isomiso2avc1mp41",
        "MP4"),
    ROW("\0\0\0\x14"
        "ftypqt  \0\0\0\0qt  ",
        "QuickTime"),
    ROW("\xFF\x0A\xFA\x12", "JPEG XL"),
    ROW("\0\0\0\x0CJXL \r\n\x87\n\0\0", "JPEG XL"),
    ROW("\0\0\0\x0CjP  \r\n\x87\n\0\0", "JPEG 2000"),
    ROW("\xFF\x4F\xFF\x51\0\x2F", "JPEG 2000"),
    ROW("II\xBC\1\x08\0\0\0", "JPEG XR"),
    ROW("8BPS\0\1", "PSD"),
    ROW("\0\0\1\0\1\0\x10\x10", "ICO"),
    ROW("\0\0\2\0\1\0\x10\x10", "CUR"),
    ROW("<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    ROW("\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- x -->\n<svg/>", "SVG"),
    ROW("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML"),
    ROW("\r\n <!DOCTYPE html>\n<p>gone", "HTML"),
    ROW("<HTML><BODY>404</BODY></HTML>", "HTML"),
    ROW("{\"error\": 404}", "JSON"),
    ROW("version https://git-lfs.github.com/spec/v1\noid sha256:12", "a Git LFS pointer"),
    ROW("Not Found\n", "text"),
    ROW("\xC3\xBC"
        "ber\n",
        "text"),
    ROW("\xFF\xFEh\0i\0", "UTF-16 text"),
    ROW("%PDF-1.7\n", "PDF"),
    ROW("PK\3\4\x14\0", "a ZIP archive"),
    ROW("\x1F\x8B\x08\0", "gzip"),
    ROW("P6\n2 2\n255\n", "PNM"),
    ROW("P7\nWIDTH 2\n", "PAM"),
    ROW("qoif\0\0\0\2", "QOI"),
    ROW("\0\5\x16\7\0\2\0\0Mac OS X",
        "AppleDouble (metadata that macOS stores next to a file)"),
    ROW("\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR", "PNG"),
    ROW("\x89PNG\n\x1a\n\0\0\0\x0DIHDR", "PNG whose line ends a transfer as text has changed"),
    ROW("\0\0\0\0\0\0\0\0\0\0", "zero bytes"),
    ROW("\x12\x34\x56\x78\x9A\xBC", "unknown"),
    ROW("P", "text"),
    ROW("\xC3", "unknown"),
    /* JPEG, by its frame header */
    ROW("\xFF\xD8", "JPEG"),
    ROW("\xFF\xD8\xFF\xC0\0\x0B\x08\0\1\0\1\1\1\x11\0", "JPEG"),
    ROW("\xFF\xD8\xFF\xE0\0\4ab\xFF\xFF\xC2\0\x0B\x08\0\1\0\1\1\1\x11\0", "JPEG"),
    ROW("\xFF\xD8\xFF\xC9\0\x0B\x08\0\1\0\1\1\1\x11\0", "arithmetic-coded JPEG"),
    ROW("\xFF\xD8\xFF\xCA\0\x0B\x08\0\1\0\1\1\1\x11\0", "arithmetic-coded JPEG"),
    ROW("\xFF\xD8\xFF\xC3\0\x0B\x08\0\1\0\1\1\1\x11\0", "lossless JPEG"),
    ROW("\xFF\xD8\xFF\xC5\0\x0B\x08\0\1\0\1\1\1\x11\0", "hierarchical JPEG"),
    ROW("\xFF\xD8\xFF\xDE\0\x0B\x08\0\1\0\1\1\1\x11\0", "hierarchical JPEG"),
    ROW("\xFF\xD8\xFF\xC1\0\x0B\x0C\0\1\0\1\1\1\x11\0", "12-bit JPEG"),
    ROW("\xFF\xD8\xFF\xC0\0\x0B\x08\0\0\0\1\1\1\x11\0",
        "JPEG without a height before its first scan (DNL)"),
    ROW("\xFF\xD8\xFF\xF7\0\x0B\x08\0\1\0\1\1\1\x11\0", "JPEG-LS"),
    ROW("\xFF\xD8\xFF\xE0\0\0", "JPEG"),
};

START_TEST(names)
{
    const struct row *r = &rows[_i];
    char *copy = malloc(r->nbytes ? r->nbytes : 1); /* so that a sanitizer sees its end */
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, r->bytes, r->nbytes);
    ck_assert_str_eq(pcri_sniff(copy, r->nbytes), r->name);
    for (size_t n = 0; n < r->nbytes; n++) { /* whatever is cut off, nothing else is read */
        char *part = malloc(n ? n : 1);
        memcpy(part, r->bytes, n);
        ck_assert_ptr_nonnull(pcri_sniff(part, n));
        free(part);
    }
    free(copy);
}
END_TEST

/* Nearly what the rows above are, and other words for the same. */
static const struct row others[] = {
    ROW("RIFF\x24\0\0\0AVI LIST", "AVI"),
    ROW("RIFF\x24\0\0\0sfbkLIST", "RIFF"),
    ROW("\0\0\0\x08moov\0\0\0\x08mvhd", "QuickTime"),
    ROW("\0\0\0\x08mdat\0\0\0\x08mvhd", "QuickTime"),
    ROW("\0\0\0\x08"
        "free\0\0\0\x08mvhd",
        "unknown"),
    ROW("\0\0\0\x18"
        "ftypmsf1\0\0\0\0msf1heix",
        "HEIC"),
    ROW("\0\0\0\x18"
        "ftypmsf1\0\0\0\0msf1xxxx",
        "HEIF"),
    ROW("BM\x46\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\2\0\2\0\1\0\x18\0", "BMP"),
    ROW("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x7d\0\0\0\2\0\0\0\2\0\0\0", "unknown"),
    ROW("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x0d\0\0\0\2\0\0\0\2\0\0\0", "unknown"),
    ROW("\0\0\3\0\1\0\x10\x10", "unknown"),
    ROW("\0\0\1\1\1\0\x10\x10", "unknown"),
    ROW("\0\0\1\0\0\0\x10\x10", "unknown"),
    ROW("\0\0\1\0\1\1\x10\x10", "unknown"),
    ROW("\0\1\1\0\1\0\x10\x10", "unknown"),
    ROW("P0\n2 2\n", "text"),
    ROW("P8\n2 2\n", "text"),
    ROW("P6x2 2\n", "text"),
    ROW("P6\0002 2\n", "text"),
    ROW("<!DOCTYPE svg PUBLIC>", "SVG"),
    ROW("<p><HEAD>", "HTML"),
    ROW("<p><body>", "HTML"),
    ROW("<p><title>", "HTML"),
    ROW("<rss><a></a></rss>", "XML"),
    ROW("<p>", "text"),
    ROW("[1, 2]", "JSON"),
    ROW(" \t\r\n", "blank text"),
    ROW("\xFE\xFF\0h\0i", "UTF-16 text"),
    ROW("\xFE\xFDhi", "unknown"),
    ROW("a\x1b[0m\n", "text"),
    ROW("ab\x02", "unknown"),
    ROW("ab\xC3", "unknown"),
    ROW("\xFF\xD8\xFF\xCC\0\4\0\0\xFF\xC8\0\4\0\0\xFF\xDA\0\4", "JPEG"),
    ROW("\xFF\xD8\xFF\xDE\0\4\0\0", "hierarchical JPEG"),
    ROW("\xFF\xD8\xFF\xDF\0\4\0\0", "hierarchical JPEG"),
    ROW("\xFF\xD8\xFF\xD0\0\4\0\0", "JPEG"),
};

START_TEST(other_names)
{
    const struct row *r = &others[_i];
    ck_assert_str_eq(pcri_sniff(r->bytes, r->nbytes), r->name);
}
END_TEST

START_TEST(far_magic)
{
    uint8_t block[512] = { 'a' };
    memcpy(block + 257, "ustar\00000", 8);
    ck_assert_str_eq(pcri_sniff(block, sizeof(block)), "a tar archive");
    memcpy(block + 128, "DICM", 4);
    ck_assert_str_eq(pcri_sniff(block, sizeof(block)), "DICOM");
    memset(block, 'x', sizeof(block)); /* a sequence that ends beyond what is looked at */
    ck_assert_str_eq(pcri_sniff(block, sizeof(block)), "text");
    block[500] = 1;
    ck_assert_str_eq(pcri_sniff(block, sizeof(block)), "unknown");
}
END_TEST

START_TEST(messages)
{
    struct pcr_error e;
    ck_assert_int_eq(pcri_fail_no_image(&e, "GIF89a", 6), PCR_ERR_FORMAT);
    ck_assert_str_eq(e.message, "no image that can be decoded (it begins like GIF)");
    pcri_fail_no_image(&e, "\x81\x82", 2);
    ck_assert_str_eq(e.message, "no image that can be decoded (it begins with bytes 81 82)");
    pcri_fail_no_image(&e, "", 0);
    ck_assert_str_eq(e.message, "no image: an empty file");
}
END_TEST

int main(void)
{
    TCase *t = tests_case("sniff");
    tcase_add_loop_test(t, names, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_loop_test(t, other_names, 0, sizeof(others) / sizeof(others[0]));
    tcase_add_test(t, far_magic);
    tcase_add_test(t, messages);
    return tests_run();
}
