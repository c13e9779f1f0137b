/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a picture that is no JPEG: a PNG file's checksums are set right. Row by row, as
 * resizing reads it, it gives what it gives as a whole; windows of it are parts of the whole. */
#include <zlib.h>

#include "fuzz.h"

#include <pcr/image.h>

static struct pcr_decoder *decoder;
static struct pcr_buffer file, whole, part, rows, resized;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return pcr_decoder_create(&decoder, NULL);
}

/* The first eight bytes and all checksums of a PNG as they should be, so that no fuzzer need find
 * them; other formats have none. */
static bool mend(const uint8_t *data, size_t nbytes)
{
    file.nbytes = 0;
    if (nbytes < 20 || *data == 0xFF || pcri_buffer_append(&file, data, nbytes, NULL))
        return false;
    if (*data != 0x89)
        return true;
    memcpy(file.data, "\x89PNG\r\n\x1a\n", 8);
    for (size_t at = 8; at + 12 <= nbytes;) {
        uint8_t *p = file.data + at;
        size_t n = (size_t) p[0] << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3];
        if (n > nbytes - at - 12)
            break;
        uint32_t crc = (uint32_t) crc32(0, p + 4, (uInt) n + 4);
        for (int i = 0; i < 4; i++)
            p[8 + n + (size_t) i] = (uint8_t) (crc >> (24 - 8 * i));
        at += n + 12;
    }
    return true;
}

/* A window of the whole is the window's own decode. */
static void check_window(struct pcr_decode_options o, const struct pcr_image_info *info)
{
    struct pcr_error err = { 0 };
    size_t row = (size_t) info->width * info->channels;
    o.crop_x = info->width / 3;
    o.crop_y = info->height / 3;
    o.crop_width = info->width - 2 * o.crop_x;
    o.crop_height = info->height - 2 * o.crop_y;
    size_t wanted = (size_t) o.crop_width * info->channels;
    int rc = pcr_decoder_decode_alloc(decoder, file.data, file.nbytes, &o, &part, NULL, &err);
    FUZZ_CHECK(!rc || rc == PCR_ERR_NOMEM, "window: %s", err.message);
    for (uint32_t y = 0; !rc && y < o.crop_height; y++)
        FUZZ_CHECK(
            !memcmp(part.data + y * wanted,
                    whole.data + (y + o.crop_y) * row + (size_t) o.crop_x * info->channels,
                    wanted),
            "window, row %u", y);
}

/* Resizing while it is decoded, and afterwards. */
static void check_resized(const struct pcr_decode_options *o,
                          const struct pcr_image_info *info, uint8_t pick)
{
    const struct pcr_resize_options how = { .size = sizeof(how), .filter = pick % 3u };
    const struct pcr_span span = { file.data, file.nbytes };
    const struct pcr_spans spans = { .items = (struct pcr_span *) (uintptr_t) &span,
                                     .count = 1 };
    uint32_t width = 1 + (pick & 15), height = 1 + (pick >> 4);
    size_t nbytes = (size_t) width * height * info->channels;
    struct pcr_error err = { 0 };
    if (pcri_buffer_reserve(&rows, nbytes, NULL) ||
        pcri_buffer_reserve(&resized, nbytes, NULL))
        return;
    int rc = pcr_resize(decoder, whole.data, info->width, info->height, info->channels, &how,
                        resized.data, width, height, &err);
    FUZZ_CHECK(!rc || rc == PCR_ERR_NOMEM, "%s", err.message);
    int rc2 = pcr_decoder_decode_resized(decoder, &spans, o, &how, rows.data, width, height,
                                         &err);
    FUZZ_CHECK(!rc2 || rc2 == PCR_ERR_NOMEM, "%s", err.message);
    if (!rc && !rc2)
        FUZZ_CHECK(!memcmp(rows.data, resized.data, nbytes), "%ux%u to %ux%u", info->width,
                   info->height, width, height);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_error err = { 0 };
    struct pcr_decode_options o = { .size = sizeof(o) };
    if (!mend(data, nbytes))
        return 0;
    uint8_t pick = data[nbytes - 1], flags = data[nbytes - 2];
    const struct pcr_limits limits = { .size = sizeof(limits), .max_pixels = 1 << 14 };
    o.limits = &limits;
    o.color = flags & 1 ? PCR_COLOR_GRAY : PCR_COLOR_RGB;
    o.flags = (flags & 2 ? PCR_DECODE_BACKGROUND : 0) | (flags & 4 ? PCR_DECODE_TO_SRGB : 0) |
              (flags & 8 ? PCR_DECODE_KEEP_ORIENTATION : 0);
    int rc = pcr_decoder_decode_alloc(decoder, file.data, file.nbytes, &o, &whole, &info,
                                      &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
    if (rc)
        return 0;
    FUZZ_CHECK(whole.nbytes == (size_t) info.width * info.height * info.channels, "%zu bytes",
               whole.nbytes);
    check_window(o, &info);
    check_resized(&o, &info, pick);
    return 0;
}
