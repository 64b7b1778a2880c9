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
    int middle, middle_columns, grain_columns; /* first column that is measured, how many, and of these for the grain */
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

void station_lines(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, int grain_columns,
                   const uint8_t *before, const uint8_t *black, double *grey, double *grain, double *step);
int64_t station_sum(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns);
double station_alternation(const double *change, int pairs, int window, double *sums, double *means);
int station_dips(const double *change, int count, double fallen, double risen);
void station_texture(const uint8_t *pixels, ptrdiff_t stride, int lines, int lines_per_row, int pairs, int every,
                     int apart, float *rows, float *changes);
void station_stillness(const float *rows, const float *changes, int count, int pairs, int lines_per_row, int apart,
                       int window, double tiny, double *squares, double *noise, double *ratios);
void station_normalise(const float *rows, int count, int pairs, int every, int16_t *whole);
void station_again(const int16_t *whole, int all, int first, int stride, int nearest, int32_t least, int32_t *room,
                   int32_t *peaks, int32_t *places);
void station_marks(const uint8_t *pixels, ptrdiff_t stride, int columns, int start, int lines, int around_start,
                   int around_lines, int around_every, int wide, float clip, uint32_t *sums, float *room, float *marks);
void station_joint(const uint8_t *pixels, ptrdiff_t stride, int lines, int columns, const struct joints *joints,
                   float *head, float *tail);

void station_likeness(struct joints *joints, int columns, int whole_turn);

void lines_take(const struct turn *turn, const uint8_t *pixels, const struct view *view, struct lines *lines);
void copies_take(const struct turn *turn, const struct lines *lines, struct copies *copies);
void texture_take(const uint8_t *part, ptrdiff_t stride, struct texture *texture, struct stillness *stillness);
void repeats_take(const struct turn *turn, const struct texture *texture, struct repeats *repeats);
void joints_take(const struct turn *turn, const uint8_t *part, ptrdiff_t stride, struct joints *joints);

#endif
