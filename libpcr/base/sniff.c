/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of file formats by their first bytes. */
#include "sniff.h"

#include <stdio.h>
#include <strings.h>

#include "utf8.h"

static const char unknown[] = "unknown";

/* --- magic bytes --- */

struct magic {
    uint16_t offset;
    uint8_t nbytes;
    char bytes[14];
    const char *name;
};

#define MAGIC(offset, bytes, name) \
    { \
        offset, sizeof(bytes) - 1, bytes, name \
    }

static const struct magic magics[] = {
    MAGIC(0, "\x89PNG\r\n\x1a\n", "PNG"),
    MAGIC(0, "\x89PNG\n\x1a\n", "PNG whose line ends a transfer as text has changed"),
    MAGIC(0, "\x89PNG\r\n\x1a\r\n", "PNG whose line ends a transfer as text has changed"),
    MAGIC(0, "\x8AMNG\r\n\x1a\n", "MNG"),
    MAGIC(0, "\x8BJNG\r\n\x1a\n", "JNG"),
    MAGIC(0, "\x89PCR\r\n\x1a\n", "a PCR record"),
    MAGIC(0, "GIF87a", "GIF"),
    MAGIC(0, "GIF89a", "GIF"),
    MAGIC(0, "II*\0\x10\0\0\0CR", "Canon CR2"),
    MAGIC(0, "II*\0", "TIFF"),
    MAGIC(0, "MM\0*", "TIFF"),
    MAGIC(0, "II+\0", "TIFF"),
    MAGIC(0, "MM\0+", "TIFF"),
    MAGIC(0, "II\xBC", "JPEG XR"),
    MAGIC(0, "IIU\0", "Panasonic RW2"),
    MAGIC(0, "IIRO", "Olympus ORF"),
    MAGIC(0, "FUJIFILMCCD", "Fujifilm RAF"),
    MAGIC(0, "\xFF\x0A", "JPEG XL"),
    MAGIC(0, "\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    MAGIC(0, "\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    MAGIC(0, "\xFF\x4F\xFF\x51", "JPEG 2000"),
    MAGIC(0, "8BPS", "PSD"),
    MAGIC(0, "gimp xcf", "XCF"),
    MAGIC(0, "qoif", "QOI"),
    MAGIC(0, "BPG\xFB", "BPG"),
    MAGIC(0, "FLIF", "FLIF"),
    MAGIC(0, "DDS ", "DDS"),
    MAGIC(0, "v/1\x01", "OpenEXR"),
    MAGIC(0, "#?RADIANCE", "Radiance HDR"),
    MAGIC(0, "farbfeld", "farbfeld"),
    MAGIC(0, "SIMPLE  =", "FITS"),
    MAGIC(128, "DICM", "DICOM"),
    MAGIC(0, "%PDF-", "PDF"),
    MAGIC(0, "%!PS", "PostScript"),
    MAGIC(0, "PK\3\4", "a ZIP archive"),
    MAGIC(0, "PK\5\6", "a ZIP archive"),
    MAGIC(257, "ustar", "a tar archive"),
    MAGIC(0, "\x1F\x8B", "gzip"),
    MAGIC(0, "BZh", "bzip2"),
    MAGIC(0, "\3757zXZ\0", "xz"),
    MAGIC(0, "\x28\xB5\x2F\xFD", "zstd"),
    MAGIC(0, "7z\xBC\xAF\x27\x1C", "a 7z archive"),
    MAGIC(0, "Rar!\x1A\x07", "a RAR archive"),
    MAGIC(0, "\x93NUMPY", "a NumPy array"),
    MAGIC(0, "\x89HDF\r\n\x1a\n", "HDF5"),
    MAGIC(0, "PAR1", "Parquet"),
    MAGIC(0, "\0\5\x16\7", "AppleDouble (metadata that macOS stores next to a file)"),
    MAGIC(0, "\0\5\x16\0", "AppleSingle"),
    MAGIC(0, "Bud1", "a macOS folder's settings"),
    MAGIC(4, "Bud1", "a macOS folder's settings"),
    MAGIC(0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an OLE file, such as Thumbs.db"),
    MAGIC(0, "\x1A\x45\xDF\xA3", "Matroska or WebM"),
    MAGIC(0, "OggS", "Ogg"),
    MAGIC(0, "ID3", "MP3"),
    MAGIC(0, "FLV\1", "Flash video"),
    MAGIC(0, "\0\0\1\xBA", "MPEG"),
    MAGIC(0, "\177ELF", "a program"),
    MAGIC(0, "version https:", "a Git LFS pointer"),
};

static bool has(const uint8_t *p, size_t nbytes, size_t offset, const char *bytes, size_t n)
{
    return nbytes >= offset + n && !memcmp(p + offset, bytes, n);
}

static const char *by_magic(const uint8_t *p, size_t nbytes)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (has(p, nbytes, magics[i].offset, magics[i].bytes, magics[i].nbytes))
            return magics[i].name;
    return NULL;
}

/* --- boxes: ISO base media files, whose brand says what they are; and RIFF --- */

/* Is `brand` among the compatible ones of the ftyp box? */
static bool compatible(const uint8_t *p, size_t nbytes, const char *brand)
{
    size_t size = (size_t) p[0] << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3];
    for (size_t at = 16; at + 4 <= size && at + 4 <= nbytes && at < 256; at += 4)
        if (!memcmp(p + at, brand, 4))
            return true;
    return false;
}

static const char *by_brand(const uint8_t *p, size_t nbytes)
{
    static const struct {
        char brand[5];
        const char *name;
    } brands[] = {
        { "avif", "AVIF" },      { "avis", "AVIF" },      { "heic", "HEIC" },
        { "heix", "HEIC" },      { "hevc", "HEIC" },      { "hevx", "HEIC" },
        { "heim", "HEIC" },      { "heis", "HEIC" },      { "crx ", "Canon CR3" },
        { "qt  ", "QuickTime" }, { "jp2 ", "JPEG 2000" },
    };
    if (has(p, nbytes, 0, "RIFF", 4) && nbytes >= 12)
        return !memcmp(p + 8, "WEBP", 4)   ? "WebP"
               : !memcmp(p + 8, "AVI ", 4) ? "AVI"
               : !memcmp(p + 8, "WAVE", 4) ? "WAV"
                                           : "RIFF";
    if (!has(p, nbytes, 4, "ftyp", 4) || nbytes < 12)
        return has(p, nbytes, 4, "moov", 4) || has(p, nbytes, 4, "mdat", 4) ? "QuickTime"
                                                                            : NULL;
    for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++)
        if (!memcmp(p + 8, brands[i].brand, 4))
            return brands[i].name;
    if (!memcmp(p + 8, "mif1", 4) || !memcmp(p + 8, "msf1", 4))
        return compatible(p, nbytes, "avif")                                    ? "AVIF"
               : compatible(p, nbytes, "heic") || compatible(p, nbytes, "heix") ? "HEIC"
                                                                                : "HEIF";
    return "MP4";
}

/* --- formats whose few magic bytes need a second look --- */

static const char *by_fields(const uint8_t *p, size_t nbytes)
{
    if (has(p, nbytes, 0, "BM", 2) && nbytes >= 26) {
        uint32_t header = pcri_load32(p + 14);
        if (header == 12 || (header >= 40 && header <= 124))
            return "BMP";
    }
    if (nbytes >= 6 && !p[0] && !p[1] && (p[2] == 1 || p[2] == 2) && !p[3] && p[4] && !p[5])
        return p[2] == 1 ? "ICO" : "CUR";
    if (nbytes >= 3 && p[0] == 'P' && p[1] >= '1' && p[1] <= '7' && strchr(" \t\r\n#", p[2]) &&
        p[2])
        return p[1] == '7' ? "PAM" : "PNM";
    return NULL;
}

/* --- text --- */

/* Whether a text begins with `word`, in any case. */
static bool starts(const char *text, const char *word)
{
    return !strncasecmp(text, word, strlen(word));
}

/* Whether the beginning of the text contains the word, in any case. */
static bool holds(const char *text, const char *word)
{
    for (; *text; text++)
        if (starts(text, word))
            return true;
    return false;
}

static const char *by_text(const uint8_t *p, size_t nbytes)
{
    enum { LOOK_NBYTES = 1024 };
    char text[LOOK_NBYTES + 1];
    size_t n = nbytes < LOOK_NBYTES ? nbytes : LOOK_NBYTES, bom = 0;
    if (nbytes >= 2 && ((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF)))
        return "UTF-16 text";
    if (has(p, nbytes, 0, "\xEF\xBB\xBF", 3))
        bom = 3;
    for (size_t i = bom; i < n;) {
        size_t length = pcri_utf8_sequence(p + i, n - i);
        if (!length && (n == nbytes || n - i >= 4)) /* not just cut off */
            return NULL;
        if (p[i] < 32 && !strchr("\t\n\r\f\033", p[i])) /* NULs may fill a file up */
            return NULL;
        i += length ? length : n - i;
    }
    memcpy(text, p + bom, n - bom);
    text[n - bom] = '\0';
    const char *t = text + strspn(text, " \t\r\n\f");
    if (starts(t, "<svg") || (starts(t, "<?xml") && holds(t, "<svg")) ||
        starts(t, "<!doctype svg"))
        return "SVG";
    if (starts(t, "<!doctype html") || holds(t, "<html") || holds(t, "<head") ||
        holds(t, "<body") || holds(t, "<title"))
        return "HTML";
    if (starts(t, "<?xml") || (*t == '<' && holds(t, "</")))
        return "XML";
    if (*t == '{' || *t == '[')
        return "JSON";
    return *t ? "text" : "blank text";
}

/* --- JPEG --- */

static const char *by_frame(unsigned sof, const uint8_t *p, size_t nbytes)
{
    if (sof == 0xC9 || sof == 0xCA)
        return "arithmetic-coded JPEG";
    if (sof == 0xC3 || sof == 0xCB)
        return "lossless JPEG";
    if (sof >= 0xC5)
        return "hierarchical JPEG";
    if (nbytes >= 3 && p[0] != 8)
        return p[0] == 12 ? "12-bit JPEG" : "JPEG of an unusual depth";
    if (nbytes >= 3 && !p[1] && !p[2])
        return "JPEG without a height before its first scan (DNL)";
    return "JPEG";
}

/* Walks to the frame header. */
static const char *by_process(const uint8_t *p, size_t nbytes)
{
    for (size_t at = 2; at + 4 <= nbytes && p[at] == 0xFF;) {
        unsigned m = p[at + 1];
        size_t length = (size_t) p[at + 2] << 8 | p[at + 3];
        if (m == 0xFF) { /* a fill byte */
            at++;
            continue;
        }
        if (m == 0xF7)
            return "JPEG-LS";
        if (m == 0xDE || m == 0xDF)
            return "hierarchical JPEG";
        if (m >= 0xC0 && m <= 0xCF && m != 0xC4 && m != 0xC8 && m != 0xCC)
            return by_frame(m, p + at + 4, nbytes - at - 4);
        if (m == 0xDA || length < 2)
            break;
        at += 2 + length;
    }
    return "JPEG";
}

/* --- all together --- */

static bool all_zero(const uint8_t *p, size_t nbytes)
{
    size_t n = nbytes < 4096 ? nbytes : 4096;
    return !p[0] && !memcmp(p, p + 1, n - 1);
}

const char *pcri_sniff(const void *data, size_t nbytes)
{
    const uint8_t *p = data;
    const char *name;
    if (!nbytes)
        return "an empty file";
    if (has(p, nbytes, 0, "\xFF\xD8", 2))
        return by_process(p, nbytes);
    if ((name = by_magic(p, nbytes)) || (name = by_brand(p, nbytes)) ||
        (name = by_fields(p, nbytes)))
        return name;
    if (all_zero(p, nbytes))
        return "zero bytes";
    name = by_text(p, nbytes);
    return name ? name : unknown;
}

int pcri_fail_no_image(struct pcr_error *err, const void *data, size_t nbytes)
{
    const uint8_t *p = data;
    const char *name = pcri_sniff(data, nbytes);
    char bytes[16] = "";
    for (size_t i = 0; i < 4 && i < nbytes; i++)
        snprintf(bytes + 3 * i, 4, " %02X", p[i]);
    if (!nbytes)
        return pcri_fail_at(err, PCR_ERR_FORMAT, 0, "no image: an empty file");
    if (name != unknown)
        return pcri_fail_at(err, PCR_ERR_FORMAT, 0,
                            "no image that can be decoded (it begins like %s)", name);
    return pcri_fail_at(err, PCR_ERR_FORMAT, 0,
                        "no image that can be decoded (it begins with bytes%s)", bytes);
}
