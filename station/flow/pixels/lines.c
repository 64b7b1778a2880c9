/* What each line of a block says: its grey value, its grain, its change from the line before. */

#include "turn.h"

#include <stdlib.h>
#include <string.h>

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
                        const uint8_t *before, const uint8_t *black, double *grey, double *grain, double *step)
{
    for (int line = 0; line < lines; line++) {
        const uint8_t *row = pixels + line * stride;
        fetch(row + (line + AHEAD < lines ? AHEAD : 0) * stride, columns);
        grey[line] = (double)difference(row, black, columns) / columns; /* processors have an instruction for it */
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

/* The darker side beside the part, some lines of it; 0 where there is none. */
static double beside(const uint8_t *pixels, ptrdiff_t stride, int lines, int width, int left, int right, int every)
{
    int some = (lines + every - 1) / every, wide[2] = {left, width - right};
    const uint8_t *side[2] = {pixels, pixels + right};
    double mean[2];
    for (int i = 0; i < 2; i++)
        mean[i] = wide[i] ? (double)station_sum(side[i], every * stride, some, wide[i]) / ((double)some * wide[i]) : 0;
    if (!wide[0] || !wide[1])
        return wide[0] ? mean[0] : mean[1];
    return mean[0] < mean[1] ? mean[0] : mean[1];
}

void lines_take(const struct turn *turn, const uint8_t *pixels, const struct view *view, struct lines *lines)
{
    const uint8_t *part = pixels + view->first + lines->middle;
    int last = turn->lines - 1;
    station_lines(part, view->stride, turn->lines, lines->columns, lines->grain_columns,
                  turn->taken ? lines->before : NULL, lines->black, lines->grey, lines->grain, lines->step);
    memcpy(lines->before, part + last * view->stride, (size_t)lines->columns);
    lines->background =
        beside(pixels, view->stride, turn->lines, view->width, view->left, view->right, lines->beside_every);
    lines->darkest = lines->grey[0];
    lines->smoothest = lines->roughest = lines->grain[0];
    for (int i = 1; i <= last; i++) {
        lines->darkest = lines->grey[i] < lines->darkest ? lines->grey[i] : lines->darkest;
        lines->smoothest = lines->grain[i] < lines->smoothest ? lines->grain[i] : lines->smoothest;
        lines->roughest = lines->grain[i] > lines->roughest ? lines->grain[i] : lines->roughest;
    }
}
