/* The texture of a surface, and whether it passes, see turn/texture.py and turn/stillness.py. */

#include "turn.h"


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
        fetch(left + (line + AHEAD < lines ? AHEAD : 0) * stride, (pairs - 1) * every + apart + 1);
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

void texture_take(const uint8_t *part, ptrdiff_t stride, struct texture *texture, struct stillness *stillness)
{
    int span = stillness->apart + stillness->window - 1, before = texture->count, pairs = texture->pairs;
    station_texture(part, stride, texture->rows_per_block * texture->lines_per_row, texture->lines_per_row, pairs,
                    texture->every, texture->apart, texture->rows + (ptrdiff_t)before * pairs,
                    texture->changes + before);
    texture->count += texture->rows_per_block;
    int first = before > span ? before - span : 0; /* windows that end in this block begin here */
    double *ratios = stillness->ratios + first;
    station_stillness(texture->rows + (ptrdiff_t)first * pairs, texture->changes + first, texture->count - first, pairs,
                      texture->lines_per_row, stillness->apart, stillness->window, stillness->tiny, stillness->squares,
                      stillness->noise, ratios);
    for (int i = 0; i < texture->count - first - span; i++)
        stillness->least = ratios[i] < stillness->least ? ratios[i] : stillness->least;
}
