/* Passes over the lines of a block for what they prove of the turn, see proofs.py for what goes in and comes out.
 *
 * Lines lie `stride` bytes apart. Nothing is allocated, nothing is read beyond the columns given. */

#include "passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAIRS = 128,    /* at most so many pairs of columns */
    FEATURES = 64,  /* numbers of a row that is looked for again */
    LANES = 8,      /* sums of floats that go side by side */
    WINDOW = 4,     /* rows that are looked for together */
};

/* ---------------------------------------------------------------------- what each line says */

STEP int32_t difference(const uint8_t *restrict one, const uint8_t *restrict other, int columns)
{
    int32_t sum = 0;
    for (int i = 0; i < columns; i++)
        sum += abs(one[i] - other[i]);
    return sum;
}

STEP int32_t total(const uint8_t *restrict row, int columns)
{
    int32_t sum = 0;
    for (int i = 0; i < columns; i++)
        sum += row[i];
    return sum;
}

/* Means over the columns: of each line, of its change from column to column (over the first `grain_columns`), and of its
 * change from the line before; of a first line with none before it that of the second. */
PASS void station_lines(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, int grain_columns,
                        const uint8_t *before, double *grey, double *grain, double *step)
{
    for (int line = 0; line < lines; line++) {
        const uint8_t *row = pixels + line * stride;
        grey[line] = (double)total(row, columns) / columns;
        grain[line] = (double)difference(row + 1, row, grain_columns - 1) / (grain_columns - 1);
        if (before)
            step[line] = (double)difference(row, before, columns) / columns;
        else
            step[line] = lines > 1 ? (double)difference(row + stride, row, columns) / columns : 0;
        before = row;
    }
}

PASS int64_t station_sum(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns)
{
    int64_t sum = 0;
    for (int line = 0; line < lines; line++)
        sum += total(pixels + line * stride, columns);
    return sum;
}

/* ---------------------------------------------------------------------- lines that repeat the line before them */

/* How much more every other number is than those between, as the mean of every `window` pairs on end; the greatest of
 * these means, its sign left out. `sums` has room for one number a pair, and one more. */
PASS double station_alternation(const double *change, int pairs, int window, double *sums, double *means)
{
    double most = 0;
    sums[0] = 0;
    for (int pair = 0; pair < pairs; pair++)
        sums[pair + 1] = sums[pair] + (change[2 * pair] - change[2 * pair + 1]);
    for (int start = 0; start + window <= pairs; start++) {
        means[start] = (sums[start + window] - sums[start]) / window;
        most = fabs(means[start]) > most ? fabs(means[start]) : most;
    }
    return most;
}

/* How many numbers are less by `fallen` than all but one of five neighbours, of which the next is more by `risen` than
 * all but two. */
PASS int station_dips(const double *change, int count, double fallen, double risen)
{
    static const int beside[] = {-3, -2, -1, 2, 3};
    enum { BESIDE = sizeof beside / sizeof *beside };
    int dips = 0;
    for (int i = 0; i + 1 < count; i++) {
        if (!(change[i + 1] - change[i] > fallen + risen))
            continue;
        double near[BESIDE];
        for (int k = 0; k < BESIDE; k++) {
            int place = i + beside[k], at = k;
            double value = change[place < 0 ? 0 : place < count ? place : count - 1];
            for (; at > 0 && near[at - 1] > value; at--)
                near[at] = near[at - 1];
            near[at] = value;
        }
        dips += change[i] < near[1] - fallen && change[i + 1] > near[2] + risen;
    }
    return dips;
}

/* ---------------------------------------------------------------------- the texture of a surface */

/* `changes` of a row is the mean square, over its lines and the pairs, of the change to the next line; the last line's
 * change counts as that of the line before. */
PASS void station_texture(const uint8_t *pixels, ptrdiff_t stride, int lines, int lines_per_row, int pairs, int every,
                          int apart, float *rows, float *changes)
{
    int16_t marks[2][PAIRS];
    int64_t squares = 0, last = 0;
    float *restrict sums = rows;
    for (int line = 0, within = 0; line < lines; line++) {
        const uint8_t *left = pixels + line * stride, *right = left + apart;
        int16_t *restrict here = marks[line & 1], *restrict before = marks[~line & 1];
        for (int i = 0; i < pairs; i++)
            here[i] = (int16_t)(left[i * every] - right[i * every]);
        for (int i = 0; i < pairs; i++)
            sums[i] = (within ? sums[i] : 0.0f) + (float)here[i];
        if (line) {
            int32_t square = 0;
            for (int i = 0; i < pairs; i++)
                square += (here[i] - before[i]) * (here[i] - before[i]);
            last = square;
            squares += square;
            if (!within) {
                *changes++ = (float)squares / (float)lines_per_row / (float)pairs;
                squares = 0;
            }
        }
        if (++within == lines_per_row) {
            within = 0;
            sums += pairs;
        }
    }
    *changes = (float)(squares + last) / (float)lines_per_row / (float)pairs;
}

/* ---------------------------------------------------------------------- whether the surface passes */

/* For each row at which a window begins, by how much the mean of rows changes that lie `apart` rows apart, over `window`
 * rows, against the noise of lines within them. `squares` and `noise` have room for one number a row, and one more. */
PASS void station_stillness(const float *rows, const float *changes, int count, int pairs, int lines_per_row, int apart,
                            int window, double tiny, double *squares, double *noise, double *ratios)
{
    squares[0] = noise[0] = 0;
    for (int row = 0; row < count; row++)
        noise[row + 1] = noise[row] + (double)changes[row];
    for (int row = 0; row + apart < count; row++) {
        const float *restrict one = rows + (ptrdiff_t)row * pairs, *restrict other = one + (ptrdiff_t)apart * pairs;
        int64_t square = 0; /* rows are whole numbers */
        for (int i = 0; i < pairs; i++) {
            int32_t step = (int32_t)(other[i] - one[i]);
            square += (int64_t)step * step;
        }
        squares[row + 1] = squares[row] + (double)((float)square / (float)pairs / (float)lines_per_row);
    }
    int span = apart + window - 1;
    for (int row = 0; row + span < count; row++)
        ratios[row] = ((squares[row + window] - squares[row]) / window + tiny) /
                      ((noise[row + span] - noise[row]) / span + tiny);
}

/* ---------------------------------------------------------------------- rows that look like earlier ones */

#define ROUNDING 12582912.0f /* 1.5 times 2^23: adding it rounds to the nearest, halves to even */

/* The sum of a row's numbers, every eighth on its own first. */
STEP float in_lanes(const float *numbers)
{
    float lanes[LANES] = {0};
    for (int i = 0; i < FEATURES; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            lanes[lane] += numbers[i + lane];
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/* Rows of `pairs` numbers become rows of 64 or fewer, every `every`th number: less what the rows have in common, less
 * the row's own mean, of length `scale`, in whole numbers. What is missing to 64 is 0. */
PASS void station_normalise(const float *rows, int count, int pairs, int every, float scale, int16_t *whole)
{
    int features = (pairs + every - 1) / every;
    float common[FEATURES] = {0}, fine[FEATURES] = {0};
    for (int row = 0; row < count; row++)
        for (int i = 0; i < features; i++)
            common[i] += rows[(ptrdiff_t)row * pairs + (ptrdiff_t)i * every];
    for (int i = 0; i < features; i++)
        common[i] /= (float)count;
    for (int row = 0; row < count; row++) {
        for (int i = 0; i < features; i++)
            fine[i] = rows[(ptrdiff_t)row * pairs + (ptrdiff_t)i * every] - common[i];
        float mean = in_lanes(fine) / (float)features, square[FEATURES];
        for (int i = 0; i < features; i++)
            fine[i] -= mean;
        for (int i = 0; i < FEATURES; i++)
            square[i] = fine[i] * fine[i];
        float length = sqrtf(in_lanes(square)), times = scale / (length > 1e-6f ? length : 1e-6f);
        int16_t *restrict out = whole + (ptrdiff_t)row * FEATURES;
        for (int i = 0; i < FEATURES; i++)
            out[i] = (int16_t)(int32_t)(fine[i] * times + ROUNDING - ROUNDING);
    }
}

/* Products of a row with each of the `count` rows at `whole`. */
STEP void products(const int16_t *restrict row, const int16_t *restrict whole, int count, int32_t *restrict likeness)
{
    for (int i = 0; i < count; i++, whole += FEATURES) {
        int32_t sum = 0;
        for (int k = 0; k < FEATURES; k++)
            sum += row[k] * whole[k];
        likeness[i] = sum;
    }
}

/* A window is four rows, every `stride`th. Of each that begins at every `stride`th row from `first` to the last one that
 * ends with row `all`, the highest likeness, a sum over its rows of products, to a window that begins at least `nearest`
 * rows before; and, of at least `least`, where that begins, else 0. `room` has `all` numbers for each row of a window and
 * once more. */
PASS void station_again(const int16_t *whole, int all, int first, int stride, int nearest, int32_t least, int32_t *room,
                        int32_t *peaks, int32_t *places)
{
    int rows = (all - 1 - first) / stride + 1;
    int32_t *restrict sums = room + (ptrdiff_t)WINDOW * all;
    for (int row = 0; row < rows; row++) {
        int later = first + stride * row, window = row + 1 - WINDOW;
        products(whole + (ptrdiff_t)later * FEATURES, whole, later - nearest + 1, room + (ptrdiff_t)(row % WINDOW) * all);
        if (window < 0)
            continue;
        const int32_t *likeness[WINDOW];
        for (int step = 0; step < WINDOW; step++)
            likeness[step] = room + (ptrdiff_t)((window + step) % WINDOW) * all + (ptrdiff_t)stride * step;
        const int32_t *restrict one = likeness[0], *restrict two = likeness[1], *restrict three = likeness[2],
                                *restrict four = likeness[3];
        int end = first + stride * window - nearest + 1, highest = 0, place = 0;
        for (int i = 0; i < end; i++) {
            sums[i] = one[i] + two[i] + three[i] + four[i];
            highest = sums[i] > highest ? sums[i] : highest;
        }
        while (highest >= least && sums[place] < highest)
            place++;
        peaks[window] = highest;
        places[window] = place;
    }
}

/* ---------------------------------------------------------------------- narrow marks across a part */

STEP void add_lines(const uint8_t *restrict row, ptrdiff_t stride, int lines, int columns, uint32_t *restrict sums)
{
    memset(sums, 0, (size_t)columns * sizeof *sums);
    for (int line = 0; line < lines; line++, row += stride)
        for (int i = 0; i < columns; i++)
            sums[i] += row[i];
}

/* The mean of some lines, less that of others, on each column; then less the mean of `wide` columns around it (mirrored
 * at the edges), cut off at `clip` mean absolute deviations, and made a vector of length 1. `sums` has room for two
 * numbers a column. */
PASS void station_marks(const uint8_t *pixels, ptrdiff_t stride, int columns, int start, int lines, int around_start,
                        int around_lines, int around_every, int wide, float clip, uint32_t *sums, float *room,
                        float *marks)
{
    uint32_t *restrict some = sums, *restrict others = sums + columns;
    add_lines(pixels + start * stride, stride, lines, columns, some);
    add_lines(pixels + around_start * stride, around_every * stride, around_lines, columns, others);
    for (int i = 0; i < columns; i++)
        room[i] = (float)some[i] / (float)lines - (float)others[i] / (float)around_lines;
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
