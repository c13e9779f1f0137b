/* SPDX-License-Identifier: BSD-2-Clause */
/* spare: memory that is used again. */
#include "base/spare.h"
#include "made.h"
#include "suite.h"

enum { MIB = 1 << 20 };

static struct pcri_spare spare;

static void set_up(void)
{
    memset(&spare, 0, sizeof(spare));
    ck_assert_int_eq(pthread_mutex_init(&spare.mutex, NULL), 0);
}

static void tear_down(void)
{
    pcri_spare_free(&spare);
}

/* Takes n buffers of nbytes, all at a time, and gives them back. */
static void use(uint32_t n, size_t nbytes)
{
    struct pcri_block b[200];
    for (uint32_t i = 0; i < n; i++) {
        b[i] = pcri_spare_take(&spare, nbytes);
        ck_assert_ptr_nonnull(b[i].data);
        ck_assert_uint_ge(b[i].capacity, nbytes);
        b[i].data[nbytes - 1] = 1;
    }
    for (uint32_t i = 0; i < n; i++) {
        pcri_spare_give(&spare, &b[i]);
        ck_assert_ptr_null(b[i].data);
    }
}

START_TEST(bounded)
{
    use(100, MIB);
    ck_assert_uint_le(spare.nbytes, 32 * MIB);
    ck_assert_uint_gt(spare.nbytes, 30 * MIB);
    use(1, 33 * MIB); /* more than there may be: not kept */
    ck_assert_uint_le(spare.nbytes, 32 * MIB);
    use(200, 1000); /* the allocator's business */
    ck_assert_uint_gt(spare.nbytes, 30 * MIB);
}
END_TEST

/* Loaders have more kept, as long as they are there. */
START_TEST(as_much_as_expected)
{
    pcri_spare_expect(&spare, 60 * MIB, 0);
    pcri_spare_expect(&spare, 100 * MIB, 0);
    use(200, MIB);
    ck_assert_uint_gt(spare.nbytes, 158 * MIB);
    ck_assert_uint_le(spare.nbytes, 160 * MIB);
    uint32_t count = spare.count;
    use(count, MIB);
    ck_assert_uint_eq(spare.count, count);
    pcri_spare_expect(&spare, 0, 60 * MIB);
    ck_assert_uint_le(spare.nbytes, 100 * MIB);
    pcri_spare_expect(&spare, 0, 100 * MIB);
    ck_assert_uint_le(spare.nbytes, 32 * MIB);
    ck_assert_uint_gt(spare.nbytes, 30 * MIB);
}
END_TEST

/* The same buffers come back, be they a little too large; those of another size make room. */
START_TEST(used_again)
{
    struct pcri_block b = pcri_spare_take(&spare, MIB);
    uint8_t *data = b.data;
    pcri_spare_give(&spare, &b);
    b = pcri_spare_take(&spare, MIB * 3 / 4);
    ck_assert_ptr_eq(b.data, data);
    pcri_spare_give(&spare, &b);
    b = pcri_spare_take(&spare, 1000); /* has no use for it, and leaves it */
    ck_assert_uint_eq(spare.count, 1);
    pcri_block_free(&b);
    b = pcri_spare_take(&spare, 4 * MIB);
    ck_assert_uint_eq(spare.count, 0);
    ck_assert_uint_eq(spare.nbytes, 0);
    pcri_spare_give(&spare, &b);
    b = pcri_spare_take(&spare, SIZE_MAX - 1); /* whoever reads says so */
    ck_assert_ptr_null(b.data);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("spare");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, bounded);
    tcase_add_test(t, as_much_as_expected);
    tcase_add_test(t, used_again);
    return tests_run();
}
