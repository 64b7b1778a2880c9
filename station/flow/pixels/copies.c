/* Lines that repeat the line before them, see turn/copies.py. */

#include "turn.h"

#include <math.h>
#include <string.h>

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

/* The number that stands at `place` when they are in order; they are put out of order. Source: C. A. R. Hoare,
 * "Algorithm 65: Find", 1961. */
static double find(double *numbers, int count, int place)
{
    for (int low = 0, high = count - 1; low < high;) {
        double pivot = numbers[place];
        int i = low, j = high;
        while (i <= j) {
            while (numbers[i] < pivot)
                i++;
            while (numbers[j] > pivot)
                j--;
            if (i <= j) {
                double one = numbers[i];
                numbers[i++] = numbers[j];
                numbers[j--] = one;
            }
        }
        if (j < place)
            low = i;
        if (i > place)
            high = j;
    }
    return numbers[place];
}

/* The middle one of every other number. */
static double middle(const double *numbers, int count, double *room)
{
    int some = (count + 1) / 2;
    for (int i = 0; i < some; i++)
        room[i] = numbers[2 * i];
    return find(room, some, some / 2);
}

/* How much the change scatters by chance from line to line. */
static double chance(const struct copies *copies, int lines)
{
    for (int i = 0; i + 1 < lines; i++)
        copies->room[i] = fabs(copies->own[i + 1] - copies->own[i]);
    double scatter = copies->scatter * find(copies->room, lines - 1, (lines - 1) / 2) / sqrt(2);
    return scatter > copies->least ? scatter : copies->least;
}

/* How much more even lines change than odd ones in the windows that end in this block; what later windows need is kept. */
static void alternate(struct copies *copies, int changes)
{
    int pairs = changes / 2, windows = pairs - copies->pairs + 1, first = windows > 0 ? 2 * windows : 0;
    double most = station_alternation(copies->change, pairs, copies->pairs, copies->sums,
                                      copies->means + copies->counted);
    copies->most = most > copies->most ? most : copies->most;
    copies->counted += windows > 0 ? windows : 0;
    copies->kept = changes - first;
    memmove(copies->change, copies->change + first, (size_t)copies->kept * sizeof *copies->change);
}

void copies_take(const struct turn *turn, const struct lines *lines, struct copies *copies)
{
    int count = turn->lines, even = turn->taken * count % 2; /* where the turn's even lines begin in this block */
    /* The last block is held against the one before, where there is one, which saves its time. */
    int learned = turn->taken > 0 && turn->taken == turn->blocks - 1;
    double *change = copies->change + copies->kept, *own = copies->own;
    for (int i = 0; i < count; i++) {
        copies->equal += lines->step[i] == 0;
        change[i] = own[i] = log(lines->step[i] > copies->least ? lines->step[i] : copies->least);
    }
    alternate(copies, copies->kept + count);
    for (int odd = 0; odd < 2; odd++) { /* what every other line does is the surface's own */
        int start = odd ? 1 - even : even;
        if (!learned)
            copies->usual[odd] = middle(own + start, count - start, copies->room);
        for (int i = start; i < count; i += 2)
            own[i] -= copies->usual[odd];
    }
    if (!learned)
        copies->chance = copies->chances[turn->taken] = chance(copies, count);
    copies->scattered += station_dips(own, count, copies->fallen * copies->chance, copies->risen * copies->chance);
}
