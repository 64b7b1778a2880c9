/* What is measured of one turn, subject by subject: how, in which memory, and what was found so far. proofs.py has the
 * same, field by field, and says how large each memory is. */

#ifndef STATION_TURN_H
#define STATION_TURN_H

#include "passes.h"

enum {
    PAIRS = 128,      /* at most so many pairs of columns */
    FEATURES = 64,    /* numbers of a row that is looked for again */
    WINDOW = 4,       /* rows that are looked for together */
    UNIT = 1 << 14,   /* what stands for 1 in them, so that the products of a window add up in 32 bits */
};

/* Where the part lies in a block. */
struct view {
    ptrdiff_t stride;      /* bytes from line to line */
    int width;             /* columns of the sensor */
    int left, right;       /* beside these is background */
    int first;             /* column of the part without its edges */
};

/* The columns of the part without its edges, in blocks of one turn. */
struct turn {
    int lines, columns, blocks; /* of a block, of the part, of the turn */
    int taken;                  /* blocks so far */
};

/* The grey values of each line. */
struct lines {
    int middle, columns, grain_columns;        /* first column that is measured, how many, and of these for the grain */
    int beside_every;                          /* of so many lines one is looked at beside the part */
    double *grey, *grain, *step;               /* of each line of the block */
    uint8_t *before;                           /* the last line of the block before */
    const uint8_t *black;                      /* a line of zeros */
    double background, darkest, smoothest, roughest;
};

/* Lines that repeat the line before. */
struct copies {
    int pairs; /* over which every other change is averaged */
    double fallen, risen, scatter, least;
    double *change, *sums, *own, *room;
    double *means, *chances; /* of the turn */
    int kept, counted;       /* changes of the blocks before that lie in `change`; means so far */
    int equal, scattered;
    double usual[2], chance, most;
};

/* The marks of the surface, a few numbers a row. */
struct texture {
    int lines_per_row, rows_per_block, pairs, every, apart;
    float *rows, *changes; /* of the turn */
    int count;
};

/* Whether the surface passes. */
struct stillness {
    int apart, window;
    double tiny;
    double *squares, *noise;
    double *ratios; /* of the turn */
    double least;
};

/* Rows that look like earlier ones. */
struct repeats {
    int at_once, every, stride, nearest, least;
    int16_t *features; /* of the turn */
    int32_t *room, *peaks, *places;
    int count;                   /* rows of the turn that were looked for */
    int first, windows, highest; /* of those that were looked for last */
};

/* The lines at both ends of each stretch of the turn. */
struct joints {
    int per_block, coarse, fine, around, profile, wide;
    float clip;
    uint32_t *sums;
    float *room;
    float *heads, *tails; /* of the turn */
    int count;
    double meeting[2], apart[2]; /* likeness of coarse and of fine marks: sum where they meet, sum of squares elsewhere */
    double ends[2];              /* that of the turn's last tail and its first head */
};

void lines_take(const struct turn *turn, const uint8_t *pixels, const struct view *view, struct lines *lines);
void copies_take(const struct turn *turn, const struct lines *lines, struct copies *copies);
void texture_take(const uint8_t *part, ptrdiff_t stride, struct texture *texture, struct stillness *stillness);
void repeats_take(const struct turn *turn, const struct texture *texture, struct repeats *repeats);
void joints_take(const struct turn *turn, const uint8_t *part, ptrdiff_t stride, struct joints *joints);

#endif
