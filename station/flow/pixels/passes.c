/* Passes over the pixels of a block, see passes.py for what goes in and comes out.
 *
 * Lines lie `stride` bytes apart. Nothing is allocated, nothing is read beyond the columns given. Loops are written so
 * that compilers make vector code of them without being told for which processor; sums of floats keep their order, so
 * that every processor gives the same bits. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PASS __attribute__((visibility("default")))

enum {
    GROUPS = 7,          /* a column's grey value is the median of so many means */
    TILE = 1024,         /* columns that are counted at a time, so that the counters stay in the nearest cache */
    COUNTED = 255,       /* lines that a counter of eight bits can count */
    PAIRS = 128,         /* at most so many pairs of columns */
    LANES = 8,           /* lines that are made narrower at a time, floats of a column that lie together */
};

/* ---------------------------------------------------------------------- the grey value of each column */

static void exchange(uint16_t *restrict low, uint16_t *restrict high, int columns)
{
    for (int i = 0; i < columns; i++) {
        uint16_t one = low[i], other = high[i];
        low[i] = one < other ? one : other;
        high[i] = one < other ? other : one;
    }
}

/* Lines are read whole, one behind the other as they lie in memory: this is the first look at a block that another
 * process has written. `sums` has room for seven times the columns.
 *
 * The exchanges bring the median of seven into the middle. Source: N. Devillard, "Fast median search: an ANSI C
 * implementation", 1998, after J. L. Smith. */
PASS void station_profile(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, uint16_t *sums,
                          float *profile)
{
    static const uint8_t exchanges[][2] = {{0, 5}, {0, 3}, {1, 6}, {2, 4}, {0, 1}, {3, 5}, {2, 6},
                                           {2, 3}, {3, 6}, {4, 5}, {1, 4}, {1, 3}, {3, 4}};
    memset(sums, 0, (size_t)GROUPS * (size_t)columns * sizeof *sums);
    for (int line = 0; line < GROUPS * lines; line++) {
        const uint8_t *restrict row = pixels + line * stride;
        uint16_t *restrict sum = sums + (ptrdiff_t)(line / lines) * columns;
        for (int i = 0; i < columns; i++)
            sum[i] = (uint16_t)(sum[i] + row[i]);
    }
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++)
        exchange(sums + (ptrdiff_t)exchanges[i][0] * columns, sums + (ptrdiff_t)exchanges[i][1] * columns, columns);
    for (int i = 0; i < columns; i++)
        profile[i] = (float)sums[GROUPS / 2 * columns + i] / (float)lines;
}

/* ---------------------------------------------------------------------- white pixels */

PASS int64_t station_white(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns)
{
    int64_t count = 0;
    for (int start = 0; start < columns; start += TILE) {
        int wide = columns - start < TILE ? columns - start : TILE;
        for (int first = 0; first < lines; first += COUNTED) {
            uint8_t hits[TILE] = {0};
            int end = lines - first < COUNTED ? lines : first + COUNTED;
            for (int line = first; line < end; line++) {
                const uint8_t *restrict row = pixels + line * stride + start;
                for (int i = 0; i < wide; i++)
                    hits[i] = (uint8_t)(hits[i] + (row[i] == 255));
            }
            for (int i = 0; i < wide; i++)
                count += hits[i];
        }
    }
    return count;
}

/* ---------------------------------------------------------------------- what each line says */

static int32_t difference(const uint8_t *restrict one, const uint8_t *restrict other, int columns)
{
    int32_t sum = 0;
    for (int i = 0; i < columns; i++)
        sum += abs(one[i] - other[i]);
    return sum;
}

static int32_t total(const uint8_t *restrict row, int columns)
{
    int32_t sum = 0;
    for (int i = 0; i < columns; i++)
        sum += row[i];
    return sum;
}

PASS void station_lines(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, int grain_columns,
                        const uint8_t *before, int32_t *grey, int32_t *grain, int32_t *step)
{
    for (int line = 0; line < lines; line++) {
        const uint8_t *row = pixels + line * stride;
        grey[line] = total(row, columns);
        grain[line] = difference(row + 1, row, grain_columns - 1);
        step[line] = before ? difference(row, before, columns) : 0;
        before = row;
    }
}

/* ---------------------------------------------------------------------- the texture of a surface */

PASS void station_texture(const uint8_t *pixels, ptrdiff_t stride, int lines, int lines_per_row, int pairs, int every,
                          int apart, float *rows, float *changes)
{
    int16_t marks[2][PAIRS];
    for (int line = 0; line < lines; line++) {
        const uint8_t *left = pixels + line * stride, *right = left + apart;
        int16_t *restrict here = marks[line & 1], *restrict before = marks[~line & 1];
        float *restrict row = rows + (ptrdiff_t)(line / lines_per_row) * pairs;
        for (int i = 0; i < pairs; i++)
            here[i] = (int16_t)(left[i * every] - right[i * every]);
        for (int i = 0; i < pairs; i++)
            row[i] = (line % lines_per_row ? row[i] : 0.0f) + (float)here[i];
        if (line) {
            int32_t squares = 0;
            for (int i = 0; i < pairs; i++)
                squares += (here[i] - before[i]) * (here[i] - before[i]);
            changes[line - 1] = (float)squares;
        }
    }
    changes[lines - 1] = changes[lines - 2];
}

/* ---------------------------------------------------------------------- rows that look like earlier ones */

/* `likeness` of row `later` and row `earlier` lies at [earlier / chunk][later][earlier % chunk]. A window is `length`
 * rows, every `stride`th; `rows` of the later ones are in `likeness`, which begin with row `first` of all. */
PASS void station_peaks(const float *likeness, int chunks, int chunk, int rows, int length, int stride, int first,
                        int nearest, float *room, float *peaks, int32_t *places)
{
    int all = chunks * chunk, windows = rows - length + 1;
    for (int window = 0; window < windows; window++) {
        for (int step = 0; step < length; step++) {
            const float *row = likeness + (ptrdiff_t)(window + step) * chunk;
            for (int i = 0; i < chunks; i++)
                memcpy(room + (ptrdiff_t)step * all + (ptrdiff_t)i * chunk, row + (ptrdiff_t)i * rows * chunk,
                       (size_t)chunk * sizeof *row);
        }
        int end = first + stride * window - nearest + 1, last = all - stride * (length - 1);
        float *sums = room + (ptrdiff_t)length * all, highest = 0;
        int place = 0;
        end = end < last ? end : last;
        for (int i = 0; i < end; i++)
            sums[i] = room[i];
        for (int step = 1; step < length; step++) {
            const float *restrict next = room + (ptrdiff_t)step * all + (ptrdiff_t)stride * step;
            for (int i = 0; i < end; i++)
                sums[i] += next[i];
        }
        for (int i = 0; i < end; i++)
            if (sums[i] > highest) {
                highest = sums[i];
                place = i;
            }
        peaks[window] = highest / (float)length;
        places[window] = place;
    }
}

/* ---------------------------------------------------------------------- narrow marks across a part */

/* The mean of some lines less that of others, on each column; then less the mean of `wide` columns around it (mirrored
 * at the edges), cut off at `clip` mean absolute deviations, and made a vector of length 1. */
PASS void station_marks(const uint8_t *pixels, ptrdiff_t stride, int columns, int start, int lines, int around_start,
                        int around_lines, int around_every, int wide, float clip, float *room, float *marks)
{
    for (int i = 0; i < columns; i++)
        room[i] = marks[i] = 0;
    for (int line = 0; line < lines; line++) {
        const uint8_t *restrict row = pixels + (start + line) * stride;
        for (int i = 0; i < columns; i++)
            marks[i] += (float)row[i];
    }
    for (int line = 0; line < around_lines; line++) {
        const uint8_t *restrict row = pixels + (around_start + line * around_every) * stride;
        for (int i = 0; i < columns; i++)
            room[i] += (float)row[i];
    }
    for (int i = 0; i < columns; i++)
        room[i] = marks[i] / (float)lines - room[i] / (float)around_lines;
    int reach = wide / 2;
    double sum = 0, size = 0, square = 0;
#define MIRRORED(i) ((i) < 0 ? -(i) - 1 : (i) >= columns ? 2 * columns - 1 - (i) : (i))
    for (int i = -reach; i < reach; i++)
        sum += room[MIRRORED(i)];
    for (int i = 0; i < columns; i++) {
        sum += room[MIRRORED(i + reach)];
        marks[i] = room[i] - (float)(sum / wide);
        sum -= room[MIRRORED(i - reach)];
        size += marks[i] < 0 ? -marks[i] : marks[i];
    }
#undef MIRRORED
    float limit = clip * (float)(size / columns);
    for (int i = 0; i < columns; i++) {
        float mark = marks[i] < -limit ? -limit : marks[i] > limit ? limit : marks[i];
        marks[i] = mark;
        square += (double)mark * mark;
    }
    double length = sqrt(square);
    float scale = (float)(1 / (length > 1e-6 ? length : 1e-6));
    for (int i = 0; i < columns; i++)
        marks[i] *= scale;
}

/* ---------------------------------------------------------------------- a block resized to a strip */

typedef float Four __attribute__((vector_size(16)));
typedef int32_t Places __attribute__((vector_size(16)));

#ifdef __clang__
#define PICK(one, other, a, b, c, d) __builtin_shufflevector(one, other, a, b, c, d)
#else
#define PICK(one, other, a, b, c, d) __builtin_shuffle(one, other, (Places){a, b, c, d})
#endif

static inline void store(float *place, Four value)
{
    memcpy(place, &value, sizeof value);
}

/* Four columns of four lines each become four lines of four columns each. */
static inline void turn_over(const Four columns[4], float *lines, ptrdiff_t line)
{
    Four low = PICK(columns[0], columns[1], 0, 4, 1, 5), high = PICK(columns[0], columns[1], 2, 6, 3, 7);
    Four low_next = PICK(columns[2], columns[3], 0, 4, 1, 5), high_next = PICK(columns[2], columns[3], 2, 6, 3, 7);
    store(lines, PICK(low, low_next, 0, 1, 4, 5));
    store(lines + line, PICK(low, low_next, 2, 3, 6, 7));
    store(lines + 2 * line, PICK(high, high_next, 0, 1, 4, 5));
    store(lines + 3 * line, PICK(high, high_next, 2, 3, 6, 7));
}

/* Sums the columns of at most eight lines, side by side. */
static inline __attribute__((always_inline)) void sum_columns(int most, const int32_t *restrict first,
                                                              const float *restrict shares,
                                                              float (*restrict tile)[LANES], int wide,
                                                              float *restrict sums)
{
    for (int column = 0; column < wide; column += 4) {
        Four upper[4], lower[4];
        for (int i = 0; i < 4; i++) {
            const float *lanes = tile[first[column + i]], *share = shares + (ptrdiff_t)(column + i) * most;
            upper[i] = lower[i] = (Four){0};
            for (int k = 0; k < most; k++, lanes += LANES) {
                Four some, rest;
                memcpy(&some, lanes, sizeof some);
                memcpy(&rest, lanes + 4, sizeof rest);
                upper[i] += some * share[k];
                lower[i] += rest * share[k];
            }
        }
        turn_over(upper, sums + column, wide);
        turn_over(lower, sums + 4 * (ptrdiff_t)wide + column, wide);
    }
}

/* Of at most eight lines the sums of each target column, eight rows of `wide` floats; lines that are not there count
 * as the last one, and nobody looks at their sums. */
static void cross(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, int most, const int32_t *first,
                  const float *shares, float (*restrict tile)[LANES], int wide, float *restrict sums)
{
    const uint8_t *row[LANES];
    for (int line = 0; line < LANES; line++)
        row[line] = pixels + (line < lines ? line : lines - 1) * stride;
    const uint8_t *restrict one = row[0], *restrict two = row[1], *restrict three = row[2], *restrict four = row[3],
                            *restrict five = row[4], *restrict six = row[5], *restrict seven = row[6],
                            *restrict eight = row[7];
    for (int i = 0; i < columns; i++) {
        tile[i][0] = one[i];
        tile[i][1] = two[i];
        tile[i][2] = three[i];
        tile[i][3] = four[i];
        tile[i][4] = five[i];
        tile[i][5] = six[i];
        tile[i][6] = seven[i];
        tile[i][7] = eight[i];
    }
    switch (most) { /* the usual numbers, so that the compiler lays the loop out */
    case 2: sum_columns(2, first, shares, tile, wide, sums); break;
    case 3: sum_columns(3, first, shares, tile, wide, sums); break;
    case 4: sum_columns(4, first, shares, tile, wide, sums); break;
    case 5: sum_columns(5, first, shares, tile, wide, sums); break;
    default: sum_columns(most, first, shares, tile, wide, sums);
    }
}

/* The strip has `wide` columns, a multiple of four, in patches of `patch`, each with its rows behind the other.
 * `cycle_lines` lines become `cycle_rows` rows, again and again. Memory to work in: `tile` has eight floats a column of
 * the block, `sums` one row of `wide` floats more than it takes lines, in eights, to hold a cycle. */
PASS void station_strip(const uint8_t *pixels, ptrdiff_t stride, int columns, int most, const int32_t *first,
                        const float *shares, int cycles, int cycle_lines, int cycle_rows, int most_lines,
                        const int32_t *first_line, const float *line_shares, int wide, int patch, float *tile,
                        float *sums, uint8_t *patches)
{
    const float rounding = 12582912.0f; /* 1.5 times 2^23: adding it rounds to the nearest, halves to even */
    int rows = cycles * cycle_rows;
    float *restrict row = sums;
    sums += wide;
    for (int cycle = 0; cycle < cycles; cycle++) {
        for (int line = 0; line < cycle_lines; line += LANES)
            cross(pixels + ((ptrdiff_t)cycle * cycle_lines + line) * stride, stride, cycle_lines - line, columns, most,
                  first, shares, (float(*)[LANES])tile, wide, sums + (ptrdiff_t)line * wide);
        for (int within = 0; within < cycle_rows; within++) {
            memset(row, 0, (size_t)wide * sizeof *row);
            for (int k = 0; k < most_lines; k++) {
                const float *restrict line = sums + (ptrdiff_t)(first_line[within] + k) * wide;
                float share = line_shares[within * most_lines + k];
                for (int i = 0; i < wide; i++)
                    row[i] += line[i] * share;
            }
            for (int part = 0; part < wide / patch; part++) {
                uint8_t *restrict out = patches + ((ptrdiff_t)part * rows + cycle * cycle_rows + within) * patch;
                const float *restrict from = row + (ptrdiff_t)part * patch;
                for (int i = 0; i < patch; i++)
                    out[i] = (uint8_t)(int32_t)(from[i] + rounding - rounding);
            }
        }
    }
}
