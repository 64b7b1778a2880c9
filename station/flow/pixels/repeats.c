/* Rows that look like earlier ones, see turn/repeats.py. */

#include "turn.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 }; /* sums of floats that go side by side */

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
 * the row's own mean, of length UNIT, in whole numbers. What is missing to 64 is 0. */
PASS void station_normalise(const float *rows, int count, int pairs, int every, int16_t *whole)
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
        float length = sqrtf(in_lanes(square)), times = UNIT / (length > 1e-6f ? length : 1e-6f);
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

/* Rows are looked for when enough of them wait, or the turn is over. */
void repeats_take(const struct turn *turn, const struct texture *texture, struct repeats *repeats)
{
    int first = repeats->count, waiting = texture->count - first;
    repeats->windows = repeats->highest = 0;
    if (waiting < repeats->at_once && turn->taken < turn->blocks - 1)
        return;
    repeats->first = first;
    repeats->count = texture->count;
    station_normalise(texture->rows + (ptrdiff_t)first * texture->pairs, waiting, texture->pairs, repeats->every,
                      repeats->features + (ptrdiff_t)first * FEATURES);
    if (waiting < repeats->stride * WINDOW)
        return;
    repeats->windows = (waiting - 1) / repeats->stride + 2 - WINDOW;
    station_again(repeats->features, texture->count, first, repeats->stride, repeats->nearest, repeats->least,
                  repeats->room, repeats->peaks, repeats->places);
    for (int i = 0; i < repeats->windows; i++)
        repeats->highest = repeats->peaks[i] > repeats->highest ? repeats->peaks[i] : repeats->highest;
}
