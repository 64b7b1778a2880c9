/* What lies under the camera: POSIX shared memory that the simulated cell writes (sim/scene_memory.py), read without locks.
 *
 * The memory is a header of 4096 bytes and the unwrapped surface, turn_lines rows of sensor_width bytes. Its `sequence`
 * is odd while the writer changes anything; whoever reads looks at it before and after, and reads again if it moved.
 * Two words are written here: which fault of the cell's has been taken, and how long the cable is out.
 *
 * An empty name selects the test pattern: pixel (column c of the sensor, line n since the start) = (c + n) mod 256, on
 * a jig that advances one row with every line and whose index pulse is there whenever it is waited for. */
#ifndef STATION_SCENE_H
#define STATION_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCENE_NAME_SIZE = 64, SCENE_STATUS_SIZE = 128, SENSOR_WIDTH_DEFAULT = 5472, SENSOR_WIDTH_MAX = 8192 };

struct scene_header; /* the shared memory's layout, private to scene.c */

struct scene {
    char name[SCENE_NAME_SIZE];     /* "" = test pattern */
    char status[SCENE_STATUS_SIZE]; /* what an operator should know: "ok" or what is wrong */
    struct scene_header *shared;    /* NULL: no memory of that name (yet) */
    size_t mapped_size;
    uint64_t device, inode; /* which file is mapped: a restarted writer makes another one of the same name */
};

enum scene_motion {
    MOTION_STILL,  /* the jig stands: the same row again and again, no pulse */
    MOTION_TIMED,  /* the jig turns at constant speed: its angle follows the clock */
    MOTION_STEPPED /* the jig advances with every line, and is at its index when that is waited for */
};
enum scene_pace { PACE_REAL = 0, PACE_MAX = 1 };

/* A fault that the cell has ordered and no camera has taken; `number` 0: none. */
struct scene_fault {
    uint64_t number, taken; /* orders are counted; the last one that was taken */
    uint32_t fault, block;  /* block 0: at once, or the next block */
    uint32_t lines, time_ms, call;
};

/* One look at the scene, consistent in itself. */
struct scene_view {
    const uint8_t *pixels; /* first pixel of row 0; NULL: nothing there, black */
    size_t row_pitch;      /* bytes from one row to the next */
    uint32_t sensor_width; /* px that a row has */
    uint32_t turn_lines;   /* rows once around, never 0 */
    enum scene_motion motion;
    enum scene_pace pace;
    uint64_t epoch_ns;  /* CLOCK_MONOTONIC time at which the angle was 0 */
    uint64_t period_ns; /* one turn, never 0 */
    uint32_t slip_row, slip_rows; /* where in every turn the part slips, and how many rows it stays behind */
    struct scene_fault fault;
    uint64_t sequence;
};

/* Fills the test pattern; once, before any thread looks at a scene. */
void scene_make_pattern(void);
/* Chooses a scene by name and opens it if it is there; always succeeds, `status` tells. */
void scene_choose(struct scene *scene, const char *name);
/* Opens the memory, or another of the same name that has replaced it; false (and `status`) when there is none. */
bool scene_refresh(struct scene *scene);
void scene_close(struct scene *scene);
/* Width of the scene's sensor in px; the default without a scene. */
uint32_t scene_sensor_width(const struct scene *scene);
/* Looks once. Waits at most 100 ms for a writer that is in the middle of a change. */
struct scene_view scene_look(struct scene *scene);
/* Whether all that was read since the look belongs to it; otherwise look and read again. */
bool scene_unchanged(const struct scene *scene, const struct scene_view *view);

/* Whether a fault may have been ordered; never waits. */
bool scene_fault_waits(const struct scene *scene);
/* Takes the fault of the view; false when another camera was faster. */
bool scene_take_fault(struct scene *scene, const struct scene_view *view);

/* Time until which the camera's cable is out, so that a consumer that is started again finds it so; 0: it is in. */
uint64_t scene_away_until(const struct scene *scene);
void scene_stay_away(struct scene *scene, uint64_t time_ns);

/* The jig's angle in rows since its epoch, at a time, for MOTION_TIMED. */
int64_t scene_rows_at(const struct scene_view *view, uint64_t time_ns);
/* The time at which the jig comes to a row counted from its epoch, not before the epoch; for MOTION_TIMED. */
uint64_t scene_time_of(const struct scene_view *view, int64_t rows);
/* The surface's row under the camera when the jig has come that far: less than its own if the part has slipped. */
uint32_t scene_surface_row(const struct scene_view *view, int64_t rows);
/* Time of the first of `pulses_per_turn` evenly spaced pulses after a time, for MOTION_TIMED. */
uint64_t scene_pulse_after(const struct scene_view *view, uint32_t pulses_per_turn, uint64_t time_ns);

#endif
