/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders of several ranks, of parts of a dataset, and those that go on from a state. */
#include <check.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "base/random.h"
#include "made_loader.h"
#include "suite.h"

static struct pcr_loader_options options(uint32_t shuffle)
{
    struct pcr_loader_options o = small_windows();
    o.order.shuffle = shuffle;
    return o;
}

static void save(const struct pcr_loader *l, uint8_t *state)
{
    struct pcr_error err;
    made_check(pcr_loader_state(l, state, &err), &err);
}

/* All that there is to a sample of a batch: index, label, fidelity and pixels. */
static uint64_t sample_hash(const struct pcr_batch *b, uint32_t i)
{
    size_t nbytes = (size_t) b->height * b->width * b->channels;
    return pcri_xxh3(b->pixels + i * nbytes, nbytes) ^ pcri_mix(b->indices[i]) ^
           (uint64_t) b->labels[i] * 3 ^ (uint64_t) b->fidelities[i] << 32;
}

/* The samples of an epoch in their order, as one process sees them. */
static uint64_t reference(struct pcr_loader_options o, uint64_t epoch, uint64_t *out)
{
    uint64_t n = 0;
    struct pcr_loader *l = create(&o);
    start(l, epoch);
    for (struct pcr_batch *b; (b = next(l));) {
        for (uint32_t i = 0; i < b->sample_count; i++)
            out[n++] = sample_hash(b, i);
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
    return n;
}

/* Which of want[from .. end) it is; counted in seen (may be NULL). Returns 1 if none. */
static uint64_t find(uint64_t hash, const uint64_t *want, uint64_t from, uint64_t end,
                     uint8_t *seen)
{
    for (uint64_t i = from; i < end; i++)
        if (want[i] == hash) {
            if (seen)
                seen[i]++;
            return 0;
        }
    return 1;
}

/* The rest of an epoch from a position on must be, on o's rank, what the header says: each
 * batch has samples of its step, or just those that a rank has. */
static void check_rest(const struct pcr_loader_options *o, struct pcr_loader *l,
                       const uint64_t *want, uint64_t total, uint64_t position, uint8_t *seen)
{
    uint64_t wrong = 0, step = (uint64_t) o->batch_size * o->shard.world;
    uint64_t number = position / step;
    struct pcr_batch *b;
    for (; position < total; position += step) {
        uint64_t left = total - position < step ? total - position : step;
        uint64_t first = position + o->shard.rank * left / o->shard.world;
        bool divided = o->order.shuffle == PCR_SHUFFLE_BLOCK && o->shard.world > 1;
        ck_assert_ptr_nonnull(b = next(l));
        ck_assert_uint_eq(b->number, number++);
        ck_assert_uint_eq(b->sample_count, (left + o->shard.world - 1) / o->shard.world);
        for (uint32_t i = 0; i < b->sample_count; i++)
            wrong += divided ? find(sample_hash(b, i), want, position, position + left, seen)
                             : find(sample_hash(b, i), want, first + i, first + i + 1, seen);
        pcr_batch_release(&b);
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_ptr_null(next(l));
}

/* --- ranks --- */

START_TEST(ranks_share_one_order)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t want[MADE_SAMPLES];
    ck_assert_uint_eq(reference(o, 1, want), MADE_SAMPLES);
    for (o.shard.world = 1; o.shard.world <= 9; o.shard.world += 2) {
        uint8_t seen[MADE_SAMPLES] = { 0 };
        uint64_t step = 0, not_once = 0;
        for (o.shard.rank = 0; o.shard.rank < o.shard.world; o.shard.rank++) {
            o.batch_size = 3 + o.shard.world % 4;
            struct pcr_loader *l = create(&o);
            step = (uint64_t) o.batch_size * o.shard.world;
            ck_assert_uint_eq(pcr_loader_batch_count(l), (MADE_SAMPLES + step - 1) / step);
            start(l, 1);
            check_rest(&o, l, want, MADE_SAMPLES, 0, seen);
            pcr_loader_destroy(&l);
        }
        for (uint64_t i = 0; i < MADE_SAMPLES; i++)
            not_once += !seen[i] || (i < MADE_SAMPLES / step * step && seen[i] > 1);
        ck_assert_uint_eq(not_once, 0);
    }
}
END_TEST

/* One of eight ranks reads a small part, more than an eighth where slices are shared. */
START_TEST(ranks_read_their_part)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t all = 0;
    for (o.shard.world = 1; o.shard.world <= 8; o.shard.world *= 8)
        for (o.shard.rank = 0; o.shard.rank < o.shard.world; o.shard.rank++) {
            struct pcr_loader_stats stats = { .size = sizeof(stats) };
            struct pcr_error err;
            struct pcr_loader *l = create(&o);
            start(l, 0);
            for (struct pcr_batch *b; (b = next(l));)
                pcr_batch_release(&b);
            made_check(pcr_loader_stats(l, &stats, &err), &err);
            if (o.shard.world == 1)
                all = stats.read_nbytes;
            else
                ck_assert_uint_lt(stats.read_nbytes, all / 3);
            pcr_loader_destroy(&l);
        }
}
END_TEST

static void set_environment(const char *rank, const char *world)
{
    ck_assert_int_eq(setenv("RANK", rank, 1), 0);
    ck_assert_int_eq(setenv("WORLD_SIZE", world, 1), 0);
}

static void clear_environment(void)
{
    unsetenv("RANK");
    unsetenv("WORLD_SIZE");
}

/* What it says when the first epoch begins counts, not what it said when the loader was made. */
START_TEST(rank_from_environment)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    uint64_t want[MADE_SAMPLES];
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    reference(o, 0, want);
    o.flags = PCR_LOADER_RANK_FROM_ENVIRONMENT;
    set_environment("3", "3");
    ck_assert_int_eq(pcr_loader_create(dataset, &o, &l, &err), PCR_ERR_INVAL);
    clear_environment();
    l = create(&o);
    ck_assert_uint_eq(pcr_loader_batch_count(l), 13);
    set_environment("x", "3");
    ck_assert_uint_eq(pcr_loader_batch_count(l), 13);
    ck_assert_int_eq(pcr_loader_start_epoch(l, 0, &err), PCR_ERR_INVAL);
    set_environment("2", "3");
    ck_assert_uint_eq(pcr_loader_batch_count(l), 5);
    o.shard.rank = 2;
    o.shard.world = 3;
    start(l, 0);
    set_environment("1", "2"); /* too late */
    check_rest(&o, l, want, MADE_SAMPLES, 0, NULL);
    start(l, 0);
    check_rest(&o, l, want, MADE_SAMPLES, 0, NULL);
    pcr_loader_destroy(&l);
    clear_environment();
}
END_TEST

/* The rank is set when it is known; an epoch that has begun goes on as it is. */
START_TEST(rank_set_later)
{
    struct pcr_loader_options o = options((uint32_t) _i), first;
    uint64_t want[4][MADE_SAMPLES];
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    for (uint64_t epoch = 0; epoch < 4; epoch++)
        reference(o, epoch, want[epoch]);
    o.shard.world = 1;
    first = o;
    o.shard.rank = 2;
    o.shard.world = 3;
    struct pcr_loader *l = create(&first);
    ck_assert_int_eq(pcr_loader_set_shard(l, 3, 3, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_set_shard(l, 0, 0, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_set_shard(l, 0, (1 << 20) + 1, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_set_shard(NULL, 0, 1, &err), PCR_ERR_INVAL);
    ck_assert_uint_eq(pcr_loader_batch_count(l), 13);
    made_check(pcr_loader_set_shard(l, 2, 3, &err), &err);
    ck_assert_uint_eq(pcr_loader_batch_count(l), 5);
    start(l, 0);
    check_rest(&o, l, want[0], MADE_SAMPLES, 0, NULL);
    start(l, 1);
    made_check(pcr_loader_set_shard(l, 0, 1, &err), &err);
    check_rest(&o, l, want[1], MADE_SAMPLES, 0, NULL); /* and epoch 2 was read ahead so */
    start(l, 2);
    check_rest(&first, l, want[2], MADE_SAMPLES, 0, NULL);
    start(l, 3);
    for (int i = 0; i < 3; i++)
        pass(l);
    save(l, state);
    made_check(pcr_loader_set_shard(l, 2, 3, &err), &err);
    made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
    check_rest(&o, l, want[3], MADE_SAMPLES, 3 * 8, NULL);
    pcr_loader_destroy(&l);
}
END_TEST

/* --- states --- */

static uint32_t draw(uint32_t *random, uint32_t n)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % n;
}

/* Other threads, batches and ranks: what must not matter. */
static void change(struct pcr_loader_options *o, uint32_t *random)
{
    o->threads.count = 1 + draw(random, 4);
    o->threads.reader_count = draw(random, 4) - 1; /* PCR_NO_READERS, by default, 1, 2 */
    o->batch_size = 1 + draw(random, 12);
    o->memory.batches_ahead = 1 + draw(random, 5);
    o->shard.world = 1 + draw(random, 4);
    o->shard.rank = draw(random, o->shard.world);
}

START_TEST(resume_anywhere)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t want[2][MADE_SAMPLES];
    uint32_t random = (uint32_t) _i;
    for (uint64_t epoch = 0; epoch < 2; epoch++)
        reference(o, epoch, want[epoch]);
    for (int round = 0; round < 40; round++) {
        uint64_t epoch = draw(&random, 2), position = 0;
        uint8_t state[PCR_LOADER_STATE_NBYTES], again[PCR_LOADER_STATE_NBYTES];
        struct pcr_error err;
        change(&o, &random);
        struct pcr_loader *l = create(&o);
        start(l, epoch);
        save(l, state);
        for (int life = 0; life < 3; life++) { /* from one loader to the next */
            uint64_t step = (uint64_t) o.batch_size * o.shard.world;
            for (uint32_t k = draw(&random, 5); k && position + step < MADE_SAMPLES; k--) {
                pass(l);
                position += step;
            }
            save(l, state);
            ck_assert_uint_eq(pcri_load64(state + 8), epoch);
            ck_assert_uint_eq(pcri_load64(state + 16), position);
            pcr_loader_destroy(&l);
            change(&o, &random);
            l = create(&o);
            made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
            save(l, again);
            ck_assert_mem_eq(state, again, sizeof(state));
        }
        check_rest(&o, l, want[epoch], MADE_SAMPLES, position, NULL);
        save(l, state); /* the epoch is over: the next one */
        ck_assert_uint_eq(pcri_load64(state + 8), epoch + 1);
        ck_assert_uint_eq(pcri_load64(state + 16), 0);
        pcr_loader_destroy(&l);
    }
}
END_TEST

/* A loader goes back to a state of its own, at the state's fidelity. */
START_TEST(resume_in_place)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    uint64_t want[MADE_SAMPLES];
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    o.fidelity.level = 2;
    o.shard.world = 1;
    reference(o, 5, want);
    struct pcr_loader *l = create(&o);
    start(l, 5);
    for (int i = 0; i < 7; i++)
        pass(l);
    save(l, state);
    made_check(pcr_loader_set_fidelity(l, 0, &err), &err);
    pass(l);
    for (int i = 0; i < 2; i++) {
        made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
        check_rest(&o, l, want, MADE_SAMPLES, 7 * 8, NULL);
    }
    pcr_loader_destroy(&l);
}
END_TEST

/* A batch that failed was not delivered. */
START_TEST(state_before_a_bad_sample)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_NONE);
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    struct pcr_batch *b;
    made_damage(1, 17, 1); /* sample 30: in batch 3 */
    struct pcr_loader *l = create(&o);
    start(l, 0);
    for (int i = 0; i < 3; i++)
        pass(l);
    ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_CORRUPT);
    save(l, state);
    ck_assert_uint_eq(pcri_load64(state + 16), 3 * 8);
    pcr_loader_destroy(&l);
    o.bad_sample = PCR_SAMPLE_SKIP;
    l = create(&o);
    made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
    b = next(l);
    ck_assert_uint_eq(b->sample_count, 8);
    ck_assert_uint_eq(b->number, 3);
    for (uint32_t i = 0; i < 8; i++) { /* its neighbour stands in its place */
        ck_assert_uint_eq(b->indices[i], i == 6 ? 31 : 24 + i);
        ck_assert_uint_eq(b->valid[i], i != 6);
    }
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
    made_damage(1, 17, 1); /* undoes it */
}
END_TEST

static void refuse(const struct pcr_loader_options *o, const uint8_t *state, size_t nbytes,
                   int code, const char *why)
{
    struct pcr_loader *l = create(o);
    struct pcr_error err = { .message = "" };
    ck_assert_int_eq(pcr_loader_resume(l, state, nbytes, &err), code);
    ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
    pcr_loader_destroy(&l);
}

START_TEST(wrong_states)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK), other = o;
    uint8_t state[PCR_LOADER_STATE_NBYTES + 1] = { 0 }, bad[PCR_LOADER_STATE_NBYTES];
    static const uint64_t indices[] = { 1, 2, 3 };
    static const struct {
        int offset, code;
        const char *why;
    } edits[] = {
        { 0, PCR_ERR_FORMAT, "PCRS" },
        { 4, PCR_ERR_UNSUPPORTED, "version" },
        { 23, PCR_ERR_FORMAT, "position" },
        { 24, PCR_ERR_INVAL, "order" },
        { 32, PCR_ERR_INVAL, "seed" },
        { 40, PCR_ERR_INVAL, "dataset" },
        { 48, PCR_ERR_INVAL, "order" },
        { 57, PCR_ERR_FORMAT, "fidelity" },
        { 60, PCR_ERR_FORMAT, "changes" },
        { 64, PCR_ERR_FORMAT, "changes" },
        { 96, PCR_ERR_FORMAT, "changes" },
        { 119, PCR_ERR_FORMAT, "changes" },
        { 8, 0, "" },
        { 120, PCR_ERR_CORRUPT, "checksum" },
    };
    struct pcr_loader *l = create(&o);
    save(l, state);
    pcr_loader_destroy(&l);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        bool first = edits[i].offset < 8; /* what it is, before its checksum */
        memcpy(bad, state, sizeof(bad));
        bad[edits[i].offset] ^= 0x80;
        refuse(&o, bad, sizeof(bad), first ? edits[i].code : PCR_ERR_CORRUPT,
               first ? edits[i].why : "checksum");
        if (edits[i].offset < 120)
            memcpy(bad + 120, &(uint64_t) { pcri_xxh3(bad, 120) }, 8);
        refuse(&o, bad, sizeof(bad), edits[i].code, edits[i].why);
    }
    for (size_t n = 0; n < PCR_LOADER_STATE_NBYTES; n++)
        refuse(&o, state, n, PCR_ERR_TRUNCATED, "bytes");
    refuse(&o, state, PCR_LOADER_STATE_NBYTES + 1, PCR_ERR_FORMAT, "bytes");
    other.seed = 4;
    refuse(&other, state, PCR_LOADER_STATE_NBYTES, PCR_ERR_INVAL, "seed 3");
    other = o;
    other.order.window_samples = 31;
    refuse(&other, state, PCR_LOADER_STATE_NBYTES, PCR_ERR_INVAL, "window_samples");
    other = o;
    other.order.indices = indices;
    other.order.index_count = 3;
    refuse(&other, state, PCR_LOADER_STATE_NBYTES, PCR_ERR_INVAL, "this one has 3");
    ck_assert_int_eq(pcr_loader_state(NULL, state, NULL), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_resume(NULL, state, sizeof(bad), NULL), PCR_ERR_INVAL);
}
END_TEST

/* A state's JSON is as good as its bytes. */
START_TEST(state_as_json)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    uint8_t state[PCR_LOADER_STATE_NBYTES], again[PCR_LOADER_STATE_NBYTES];
    struct pcr_buffer text = { 0 };
    struct pcr_error err;
    uint32_t accepted = 0;
    o.seed = UINT64_MAX;
    struct pcr_loader *l = create(&o), *other = create(&o);
    for (int round = 0; round < 4; round++) {
        if (round) {
            start(l, UINT64_MAX - 2);
            for (int i = 0; i < round; i++) {
                pass(l);
                made_check(pcr_loader_set_fidelity(l, round == 2 ? 0 : 2, &err), &err);
            }
        }
        save(l, state);
        made_check(pcr_loader_state_json(l, &text, &err), &err);
        ck_assert_uint_eq(strlen((char *) text.data), text.nbytes);
        made_check(pcr_loader_resume(other, text.data, text.nbytes, &err), &err);
        save(other, again);
        ck_assert_mem_eq(state, again, sizeof(state));
    }
    /* Every shorter text is refused. */
    for (size_t n = 1; n < text.nbytes; n++)
        accepted += pcr_loader_resume(other, text.data, n, &err) != PCR_ERR_FORMAT;
    ck_assert_uint_eq(accepted, 0);
    ck_assert_int_eq(pcr_loader_state_json(NULL, &text, &err), PCR_ERR_INVAL);
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&other);
    pcr_buffer_free(&text);
}
END_TEST

START_TEST(wrong_json)
{
    static const struct {
        const char *from, *to; /* in the text */
        int code;
    } edits[] = {
        { "{", "[", PCR_ERR_FORMAT },
        { "\"version\": 1", "\"version\": 2", PCR_ERR_UNSUPPORTED },
        { "\"version\": 1, ", "", PCR_ERR_FORMAT },
        { "\"epoch\": 0", "\"epoch\": -1", PCR_ERR_FORMAT },
        { "\"epoch\": 0", "\"epoch\": 18446744073709551616", PCR_ERR_FORMAT },
        { "\"epoch\": 0", "\"epoch\": 0, \"epoch\": 0", PCR_ERR_FORMAT },
        { "\"epoch\": 0", "\"epoch\": 0, \"more\": 0", PCR_ERR_FORMAT },
        { "\"epoch\": 0", "\"epoch\": 0.5", PCR_ERR_FORMAT },
        { "\"seed\": 3", "\"seed\": \"3\"", PCR_ERR_FORMAT },
        { "\"seed\": 3", "\"seed\": 4", PCR_ERR_INVAL },
        { "\"order\": \"", "\"order\": \"x", PCR_ERR_FORMAT },
        { "null", "nil", PCR_ERR_FORMAT },
        { "null", "77", PCR_ERR_FORMAT },
        { "[]", "[[1]]", PCR_ERR_FORMAT },
        { "[]", "[[1, 4294967297]]", PCR_ERR_FORMAT },
        { "[]", "[[1,1],[2,1],[3,1],[4,1],[5,1]]", PCR_ERR_FORMAT },
        { "[]", "[[1,1], [1,1]]", PCR_ERR_FORMAT },
        { "[]}", "[]} x", PCR_ERR_FORMAT },
        { "[]}", " [ [ 1,2 ]\n, [ 3 , 2 ] ]\t}\r\n", 0 },
    };
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    struct pcr_buffer text = { 0 };
    struct pcr_error err;
    struct pcr_loader *l = create(&o);
    made_check(pcr_loader_state_json(l, &text, &err), &err);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        char bad[600];
        const char *at = strstr((char *) text.data, edits[i].from);
        ck_assert_ptr_nonnull(at);
        int n = snprintf(bad, sizeof(bad), "%.*s%s%s", (int) (at - (char *) text.data),
                         (char *) text.data, edits[i].to, at + strlen(edits[i].from));
        ck_assert_msg(pcr_loader_resume(l, bad, (size_t) n, &err) == edits[i].code, "edit %zu",
                      i);
    }
    pcr_loader_destroy(&l);
    pcr_buffer_free(&text);
}
END_TEST

/* --- parts of a dataset --- */

/* Every third sample, a run, and a lone one. */
static uint64_t choose(uint64_t *out)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < 40; i += 3)
        out[n++] = i;
    for (uint64_t i = 44; i < 63; i++)
        out[n++] = i;
    out[n++] = 99; /* of the last record; none of the one before it */
    return n;
}

START_TEST(part_of_a_dataset)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t chosen[MADE_SAMPLES], want[MADE_SAMPLES], all[MADE_SAMPLES];
    uint32_t seen[MADE_SAMPLES] = { 0 };
    uint64_t n = choose(chosen), same = 0;
    reference(o, 2, all);
    o.order.indices = chosen;
    o.order.index_count = n;
    ck_assert_uint_eq(reference(o, 2, want), n);
    for (uint64_t i = 0; i < n; i++) /* a sample looks the same as among all */
        for (uint64_t k = 0; k < MADE_SAMPLES; k++)
            if (want[i] == all[k]) {
                seen[k]++;
                same++;
            }
    ck_assert_uint_eq(same, n);
    struct pcr_loader *l = create(&o);
    memset(chosen, 0xFF, sizeof(chosen)); /* it was copied */
    uint64_t unexpected = 0;
    start(l, 2);
    for (struct pcr_batch *b; (b = next(l));) {
        for (uint32_t i = 0; i < b->sample_count; i++) {
            uint64_t k = b->indices[i];
            unexpected += !(k == 99 || (k >= 44 && k < 63) || (k < 40 && k % 3 == 0));
            if (_i == PCR_SHUFFLE_NONE && i)
                unexpected += k <= b->indices[i - 1];
        }
        pcr_batch_release(&b);
    }
    ck_assert_uint_eq(unexpected, 0);
    pcr_loader_destroy(&l);
}
END_TEST

START_TEST(resume_a_part)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t chosen[MADE_SAMPLES], want[MADE_SAMPLES];
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    o.order.indices = chosen;
    o.order.index_count = choose(chosen);
    uint64_t n = reference(o, 0, want);
    struct pcr_loader *l = create(&o);
    start(l, 0);
    pass(l);
    save(l, state);
    pcr_loader_destroy(&l);
    o.batch_size = 3;
    o.shard.world = 2;
    for (o.shard.rank = 0; o.shard.rank < 2; o.shard.rank++) {
        l = create(&o);
        made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
        check_rest(&o, l, want, n, 8, NULL);
        pcr_loader_destroy(&l);
    }
}
END_TEST

START_TEST(no_samples)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    uint64_t none = 0;
    o.order.indices = &none;
    struct pcr_loader *l = create(&o);
    ck_assert_uint_eq(pcr_loader_batch_count(l), 0);
    start(l, 0);
    ck_assert_ptr_null(next(l));
    save(l, state);
    made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
    ck_assert_ptr_null(next(l));
    pcr_loader_destroy(&l);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_state");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 110);
    tcase_add_loop_test(t, ranks_share_one_order, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, ranks_read_their_part, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, rank_from_environment);
    tcase_add_loop_test(t, rank_set_later, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, resume_anywhere, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, resume_in_place);
    tcase_add_test(t, state_before_a_bad_sample);
    tcase_add_test(t, wrong_states);
    tcase_add_test(t, state_as_json);
    tcase_add_test(t, wrong_json);
    tcase_add_loop_test(t, part_of_a_dataset, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, resume_a_part, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, no_samples);
    return tests_run();
}
