/* Passes over the pixels of a block for crop and strip, see passes.py and resizing.py for what goes in and comes out.
 *
 * Lines lie `stride` bytes apart. Nothing is allocated, nothing is read beyond the columns given. Loops are written so
 * that compilers make vector code of them without being told for which processor; sums of floats keep their order, so
 * that every processor gives the same bits. */

#include "passes.h"

#include <string.h>

enum {
    GROUPS = 7,          /* a column's grey value is the median of so many means */
    TILE = 1024,         /* columns that are counted at a time, so that the counters stay in the nearest cache */
    COUNTED = 255,       /* lines that a counter of eight bits can count */
    NEAR = 256,          /* at most so many columns about an edge */
    LANES = 8,           /* lines that are made narrower at a time, floats of a column that lie together */
};

/* ---------------------------------------------------------------------- the grey value of each column */

STEP void exchange(uint16_t *restrict low, uint16_t *restrict high, int columns)
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
        fetch(row + (line + AHEAD < GROUPS * lines ? AHEAD : 0) * stride, columns);
        for (int i = 0; i < columns; i++)
            sum[i] = (uint16_t)(sum[i] + row[i]);
    }
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++)
        exchange(sums + (ptrdiff_t)exchanges[i][0] * columns, sums + (ptrdiff_t)exchanges[i][1] * columns, columns);
    for (int i = 0; i < columns; i++)
        profile[i] = (float)sums[GROUPS / 2 * columns + i] / (float)lines;
}

/* The mean of each column and of `reach` columns on either side; the edges are repeated. */
PASS void station_smooth(const float *profile, int columns, int reach, float *smooth)
{
    int wide = 2 * reach + 1;
    for (int i = 0; i < columns; i++) {
        double sum = 0;
        for (int at = i - reach; at <= i + reach; at++)
            sum += (double)profile[at < 0 ? 0 : at < columns ? at : columns - 1];
        smooth[i] = (float)sum / (float)wide;
    }
}

/* The column of a left edge, see crop.py; columns lie `stride` floats apart, one step backwards for a right edge. A step
 * is by `least` from the mean of `wide` columns to that of the next; it is looked for from `reach` columns outside of
 * `coarse` to as many as a step takes inside. -1 where there is none. */
PASS int station_edge(const float *profile, ptrdiff_t stride, int columns, int coarse, int reach, int wide, float least)
{
    float near[NEAR], means[NEAR], lowest[NEAR];
    int ahead = reach + 2 * wide, count = ahead + 4 * wide, first = 2 * wide, last = ahead + 2 * wide;
    for (int i = 0; i < count; i++) {
        int column = coarse - ahead + i;
        near[i] = lowest[i] = profile[(column < 0 ? 0 : column < columns ? column : columns - 1) * stride];
    }
    for (int i = 0; i + wide <= count; i++) {
        float sum = 0;
        for (int k = 0; k < wide; k++)
            sum += near[i + k] / (float)wide;
        means[i] = sum;
    }
    for (int i = first + reach - 1; i >= first; i--)
        lowest[i] = lowest[i] < lowest[i + 1] ? lowest[i] : lowest[i + 1];
    for (int step = first; step < last; step++) {
        float outside = means[step - wide];
        if (!(means[step] - outside >= least && lowest[step] >= outside + least / 2))
            continue;
        float half = (means[step - wide - 2] + means[step + wide - 1]) / 2;
        int rising = step - 2, end = step + 2 * wide - 1;
        while (rising < end && !(near[rising] >= half))
            rising++;
        int column = coarse - ahead + (rising < end ? rising : step - 2);
        return column < 0 ? 0 : column;
    }
    return -1;
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

/* ---------------------------------------------------------------------- a block resized to a strip */

typedef float Four __attribute__((vector_size(16)));
typedef int32_t Places __attribute__((vector_size(16)));

#ifdef __clang__
#define PICK(one, other, a, b, c, d) __builtin_shufflevector(one, other, a, b, c, d)
#else
#define PICK(one, other, a, b, c, d) __builtin_shuffle(one, other, (Places){a, b, c, d})
#endif

STEP void store(float *place, Four value)
{
    memcpy(place, &value, sizeof value);
}

/* Four columns of four lines each become four lines of four columns each. */
STEP void turn_over(const Four columns[4], float *lines, ptrdiff_t line)
{
    Four low = PICK(columns[0], columns[1], 0, 4, 1, 5), high = PICK(columns[0], columns[1], 2, 6, 3, 7);
    Four low_next = PICK(columns[2], columns[3], 0, 4, 1, 5), high_next = PICK(columns[2], columns[3], 2, 6, 3, 7);
    store(lines, PICK(low, low_next, 0, 1, 4, 5));
    store(lines + line, PICK(low, low_next, 2, 3, 6, 7));
    store(lines + 2 * line, PICK(high, high_next, 0, 1, 4, 5));
    store(lines + 3 * line, PICK(high, high_next, 2, 3, 6, 7));
}

/* Sums the columns of at most eight lines, side by side. */
STEP void sum_columns(int most, const int32_t *restrict first, const float *restrict shares,
                      float (*restrict tile)[LANES], int wide, float *restrict sums)
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
STEP void cross(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, int most, const int32_t *first,
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

#ifndef STATION_SOURCES
#define STATION_SOURCES ""
#endif

/* The hash of the sources that this was compiled from, see build.py. */
__attribute__((visibility("default"))) const char *station_sources(void)
{
    return STATION_SOURCES;
}
