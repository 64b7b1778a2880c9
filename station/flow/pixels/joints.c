/* Narrow marks across a part, and those at both ends of a stretch, see turn/seam.py. */

#include "turn.h"

#include <math.h>
#include <string.h>

enum {
    LANES = 8,      /* sums that go side by side */
    SHORT_SUM = 257 /* lines of white that add up to 16 bits */
};

/* The sum of some lines on each column. */
STEP void add_lines(const uint8_t *restrict row, ptrdiff_t stride, int lines, int columns, uint16_t *restrict shorts,
                    uint32_t *restrict sums)
{
    memset(sums, 0, (size_t)columns * sizeof *sums);
    while (lines > 0) {
        memset(shorts, 0, (size_t)columns * sizeof *shorts);
        for (int line = 0; line < (lines < SHORT_SUM ? lines : SHORT_SUM); line++, row += stride)
            for (int i = 0; i < columns; i++)
                shorts[i] = (uint16_t)(shorts[i] + row[i]);
        for (int i = 0; i < columns; i++)
            sums[i] += shorts[i];
        lines -= SHORT_SUM;
    }
}

/* The sum of eight. */
STEP double together(const double lanes[LANES])
{
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/* The mean of some lines, less that of others, on each column; then less the mean of `wide` columns around it (mirrored
 * at the edges), cut off at `clip` mean absolute deviations, and made a vector of length 1. `room` has room for one
 * number a column, and `wide` more. */
STEP void narrow(const uint32_t *restrict some, int lines, const uint32_t *restrict others, int around_lines, int columns,
                 int wide, float clip, float *restrict room, float *restrict marks)
{
    int reach = wide / 2;
    float *restrict mean = room + reach;
    for (int i = 0; i < columns; i++)
        mean[i] = (float)some[i] / (float)lines - (float)others[i] / (float)around_lines;
    for (int i = 0; i < reach; i++) {
        mean[-1 - i] = mean[i];
        mean[columns + i] = mean[columns - 1 - i];
    }
    double sum = 0;
    for (int i = -reach; i < reach; i++)
        sum += mean[i];
    for (int i = 0, before = -reach; i < columns; i++, before++) {
        sum += (double)mean[i + reach] - (i ? (double)mean[before - 1] : 0);
        marks[i] = mean[i] - (float)(sum / wide);
    }
    double size[LANES] = {0}, square[LANES] = {0};
    int whole = columns / LANES * LANES;
    for (int i = 0; i < whole; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            size[lane] += (double)fabsf(marks[i + lane]);
    for (int i = whole; i < columns; i++)
        size[i - whole] += (double)fabsf(marks[i]);
    float limit = clip * (float)(together(size) / columns);
    for (int i = 0; i < columns; i++)
        marks[i] = marks[i] < -limit ? -limit : marks[i] > limit ? limit : marks[i];
    for (int i = 0; i < whole; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            square[lane] += (double)marks[i + lane] * marks[i + lane];
    for (int i = whole; i < columns; i++)
        square[i - whole] += (double)marks[i] * marks[i];
    double length = sqrt(together(square));
    float scale = (float)(1 / (length > 1e-6 ? length : 1e-6));
    for (int i = 0; i < columns; i++)
        marks[i] *= scale;
}

/* Narrow marks of `lines` lines from `start` on against others. `sums` has room for three numbers a column. */
PASS void station_marks(const uint8_t *pixels, ptrdiff_t stride, int columns, int start, int lines, int around_start,
                        int around_lines, int around_every, int wide, float clip, uint32_t *sums, float *room,
                        float *marks)
{
    uint32_t *some = sums, *others = sums + columns;
    uint16_t *shorts = (uint16_t *)(sums + 2 * (ptrdiff_t)columns);
    add_lines(pixels + start * stride, stride, lines, columns, shorts, some);
    add_lines(pixels + around_start * stride, around_every * stride, around_lines, columns, shorts, others);
    narrow(some, lines, others, around_lines, columns, wide, clip, room, marks);
}

/* Coarse and fine marks at the beginning of a stretch and at its end: the coarse ones against lines of the whole
 * stretch, the fine ones against those around them. No head is made where there is no memory for one. */
PASS void station_joint(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, const struct joints *joints,
                        float *head, float *tail)
{
    uint32_t *some = joints->sums, *others = some + columns, *profile = others + columns;
    uint16_t *shorts = (uint16_t *)(profile + columns);
    int every = lines > joints->profile ? lines / joints->profile : 1, profiled = (lines + every - 1) / every;
    add_lines(pixels, every * stride, profiled, columns, shorts, profile);
    for (int end = head ? 0 : 1; end < 2; end++) {
        float *marks = end ? tail : head;
        int coarse = end ? lines - joints->coarse : 0, fine = end ? lines - joints->fine : 0;
        int around = end ? lines - joints->around : 0;
        add_lines(pixels + coarse * stride, stride, joints->coarse, columns, shorts, some);
        narrow(some, joints->coarse, profile, profiled, columns, joints->wide, joints->clip, joints->room, marks);
        add_lines(pixels + fine * stride, stride, joints->fine, columns, shorts, some);
        add_lines(pixels + around * stride, stride, joints->around, columns, shorts, others);
        narrow(some, joints->fine, others, joints->around, columns, joints->wide, joints->clip, joints->room,
               marks + columns);
    }
}

STEP double likeness(const float *restrict one, const float *restrict other, int columns)
{
    float sums[LANES] = {0};
    int whole = columns / LANES * LANES;
    for (int i = 0; i < whole; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += one[i + lane] * other[i + lane];
    for (int i = whole; i < columns; i++)
        sums[i - whole] += one[i] * other[i];
    return (double)(((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])));
}

/* How alike the marks of the stretch that came last and of those before are, where they meet and elsewhere. */
PASS void station_learn(struct joints *joints, int columns)
{
    int last = joints->count - 1;
    ptrdiff_t stretch = 2 * (ptrdiff_t)columns;
    for (int kind = 0; kind < 2; kind++) {
        const float *heads = joints->heads + kind * columns, *tails = joints->tails + kind * columns;
        for (int number = 0; number < last; number++) {
            double ahead = likeness(tails + number * stretch, heads + last * stretch, columns);
            double behind = likeness(tails + last * stretch, heads + number * stretch, columns);
            if (number == last - 1)
                joints->meeting[kind] += ahead;
            else
                joints->apart[kind] += ahead * ahead;
            joints->apart[kind] += behind * behind;
        }
    }
}

/* How alike the last lines of the turn and its first ones are. */
PASS void station_compare_ends(struct joints *joints, int columns)
{
    const float *tail = joints->tails + 2 * (ptrdiff_t)columns * (joints->count - 1);
    for (int kind = 0; kind < 2; kind++)
        joints->ends[kind] = likeness(tail + kind * columns, joints->heads + kind * columns, columns);
}

void joints_take(const struct turn *turn, const uint8_t *part, ptrdiff_t stride, struct joints *joints)
{
    int last = turn->blocks * joints->per_block - 1;
    for (int number = 0; number < joints->per_block; number++) {
        int start = turn->lines * number / joints->per_block, end = turn->lines * (number + 1) / joints->per_block;
        ptrdiff_t place = (ptrdiff_t)joints->count * 2 * turn->columns;
        station_joint(part + start * stride, stride, end - start, turn->columns, joints,
                      joints->count < last ? joints->heads + place : NULL, joints->tails + place);
        if (joints->count++ < last)
            station_learn(joints, turn->columns);
        else
            station_compare_ends(joints, turn->columns);
    }
}
