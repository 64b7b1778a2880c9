/* Reading the shared memory that shows what lies under the camera. */
#include "camera/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { HEADER_SIZE = 4096, LAYOUT_VERSION = 1, TURN_LINES_MAX = 65536, WRITER_PATIENCE_MS = 100 };
static const uint64_t MAX_PERIOD_NS = 1000ull * NS_PER_S; /* keeps rows_at within 64 bits */

struct scene_header {
    char magic[8];
    uint32_t version, header_size, sensor_width;
    _Atomic uint32_t turn_lines; /* that of the surface that is shown */
    uint32_t pace, writer_pid;
    _Atomic uint64_t sequence;
    _Atomic uint64_t surface_id;
    _Atomic uint32_t part_present, turning;
    _Atomic uint64_t epoch_ns, turn_period_ns;
    _Atomic uint32_t slip_row, slip_rows;
    uint8_t reserved[48];
    _Atomic uint64_t fault_number, fault_taken; /* fault_taken is the cameras' to write */
    _Atomic uint32_t fault, fault_block, fault_lines, fault_time_ms, fault_call, reserved1;
    _Atomic uint64_t away_until_ns; /* likewise */
};
_Static_assert(offsetof(struct scene_header, sequence) == 32, "layout version 1");
_Static_assert(offsetof(struct scene_header, part_present) == 48, "layout version 1");
_Static_assert(offsetof(struct scene_header, epoch_ns) == 56, "layout version 1");
_Static_assert(offsetof(struct scene_header, slip_row) == 72, "layout version 1");
_Static_assert(offsetof(struct scene_header, fault_number) == 128, "layout version 1");
_Static_assert(offsetof(struct scene_header, fault_call) == 160, "layout version 1");
_Static_assert(offsetof(struct scene_header, away_until_ns) == 168, "layout version 1");

/* Row n of the pattern starts n pixels into this ramp. */
enum { PATTERN_LINES = 256 };
static uint8_t ramp[SENSOR_WIDTH_MAX + PATTERN_LINES];

void scene_make_pattern(void) {
    for (size_t i = 0; i < sizeof ramp; i++)
        ramp[i] = (uint8_t)i;
}

void scene_choose(struct scene *scene, const char *name) {
    scene_close(scene);
    snprintf(scene->name, sizeof scene->name, "%s", name);
    scene_refresh(scene);
}

void scene_close(struct scene *scene) {
    if (scene->shared)
        munmap(scene->shared, scene->mapped_size);
    scene->shared = NULL;
}

static bool unusable(struct scene *scene, const char *why) {
    scene_close(scene);
    snprintf(scene->status, sizeof scene->status, "the image is black: scene %.50s: %.40s", scene->name, why);
    return false;
}

static uint32_t word(const _Atomic uint32_t *place) {
    return atomic_load_explicit(place, memory_order_relaxed);
}

/* What is wrong with a turn of so many lines, or NULL. */
static const char *turn_fault(const struct scene_header *header, uint32_t turn_lines, size_t size) {
    if (turn_lines < 1 || turn_lines > TURN_LINES_MAX)
        return "its turn is not 1 to 65536 lines";
    if (size < HEADER_SIZE + (size_t)header->sensor_width * turn_lines)
        return "the memory is smaller than its image";
    return NULL;
}

/* What is wrong with a mapped header, or NULL. */
static const char *header_fault(const struct scene_header *header, size_t size) {
    if (memcmp(header->magic, "STNSCENE", sizeof header->magic) != 0)
        return "the memory is no scene";
    if (header->version != LAYOUT_VERSION || header->header_size != HEADER_SIZE)
        return "its layout version is not 1";
    if (header->sensor_width < 1 || header->sensor_width > SENSOR_WIDTH_MAX)
        return "its sensor width is not 1 to 8192 px";
    return turn_fault(header, word(&header->turn_lines), size);
}

static bool map_file(struct scene *scene, int file, const struct stat *found) {
    size_t size = (size_t)found->st_size;
    if (size < HEADER_SIZE)
        return unusable(scene, "the memory is smaller than its header");
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        return unusable(scene, strerror(errno));
    scene_close(scene);
    scene->shared = memory;
    scene->mapped_size = size;
    scene->device = (uint64_t)found->st_dev;
    scene->inode = (uint64_t)found->st_ino;
    const char *fault = header_fault(scene->shared, size);
    if (fault)
        return unusable(scene, fault);
    snprintf(scene->status, sizeof scene->status, "ok");
    return true;
}

bool scene_refresh(struct scene *scene) {
    if (!scene->name[0]) {
        snprintf(scene->status, sizeof scene->status, "no scene chosen: test pattern");
        return true;
    }
    int file = shm_open(scene->name, O_RDWR | O_CLOEXEC, 0);
    if (file < 0)
        return unusable(scene, strerror(errno));
    struct stat found;
    bool known = fstat(file, &found) == 0;
    bool same = known && scene->shared && scene->device == (uint64_t)found.st_dev &&
                scene->inode == (uint64_t)found.st_ino;
    bool usable = same || (known ? map_file(scene, file, &found) : unusable(scene, strerror(errno)));
    close(file);
    return usable;
}

uint32_t scene_sensor_width(const struct scene *scene) {
    return scene->shared ? scene->shared->sensor_width : SENSOR_WIDTH_DEFAULT;
}

static struct scene_view test_pattern(void) {
    return (struct scene_view){.pixels = ramp,
                               .row_pitch = 1,
                               .sensor_width = SENSOR_WIDTH_MAX,
                               .turn_lines = PATTERN_LINES,
                               .motion = MOTION_STEPPED,
                               .pace = PACE_REAL,
                               .period_ns = NS_PER_S};
}

static struct scene_view nothing(void) {
    return (struct scene_view){.turn_lines = 1, .motion = MOTION_STILL, .pace = PACE_REAL, .period_ns = NS_PER_S};
}

static struct scene_fault read_fault(const struct scene_header *header) {
    struct scene_fault fault = {.number = atomic_load_explicit(&header->fault_number, memory_order_relaxed),
                                .taken = atomic_load_explicit(&header->fault_taken, memory_order_relaxed),
                                .fault = word(&header->fault),
                                .block = word(&header->fault_block),
                                .lines = word(&header->fault_lines),
                                .time_ms = word(&header->fault_time_ms),
                                .call = word(&header->fault_call)};
    if (fault.number == fault.taken)
        fault.number = 0;
    return fault;
}

static struct scene_view read_header(const struct scene_header *header) {
    struct scene_view view = {.pixels = (const uint8_t *)header + HEADER_SIZE,
                              .row_pitch = header->sensor_width,
                              .sensor_width = header->sensor_width,
                              .turn_lines = word(&header->turn_lines),
                              .pace = header->pace == PACE_MAX ? PACE_MAX : PACE_REAL,
                              .epoch_ns = atomic_load_explicit(&header->epoch_ns, memory_order_relaxed),
                              .period_ns = atomic_load_explicit(&header->turn_period_ns, memory_order_relaxed),
                              .slip_row = word(&header->slip_row),
                              .slip_rows = word(&header->slip_rows),
                              .fault = read_fault(header)};
    bool turns = word(&header->turning) != 0;
    bool possible = view.period_ns > 0 && view.period_ns <= MAX_PERIOD_NS;
    view.motion = !turns || !possible ? MOTION_STILL : view.pace == PACE_MAX ? MOTION_STEPPED : MOTION_TIMED;
    if (!possible)
        view.period_ns = NS_PER_S;
    return view;
}

struct scene_view scene_look(struct scene *scene) {
    if (!scene->name[0])
        return test_pattern();
    for (int tries = 0; scene->shared && tries < WRITER_PATIENCE_MS * 10; tries++) {
        uint64_t sequence = atomic_load_explicit(&scene->shared->sequence, memory_order_acquire);
        if (sequence % 2 == 0) {
            struct scene_view view = read_header(scene->shared);
            view.sequence = sequence;
            if (scene_unchanged(scene, &view)) {
                const char *fault = turn_fault(scene->shared, view.turn_lines, scene->mapped_size);
                if (!fault)
                    return view;
                unusable(scene, fault);
                return nothing();
            }
        }
        clock_sleep_ns(NS_PER_MS / 10);
    }
    if (scene->shared)
        unusable(scene, "its writer stopped within a change");
    return nothing();
}

bool scene_unchanged(const struct scene *scene, const struct scene_view *view) {
    if (!scene->shared || !view->sequence)
        return true;
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&scene->shared->sequence, memory_order_relaxed) == view->sequence;
}

bool scene_fault_waits(const struct scene *scene) {
    return scene->shared && read_fault(scene->shared).number != 0;
}

bool scene_take_fault(struct scene *scene, const struct scene_view *view) {
    uint64_t before = view->fault.taken;
    return scene->shared && view->fault.number &&
           atomic_compare_exchange_strong(&scene->shared->fault_taken, &before, view->fault.number);
}

uint64_t scene_away_until(const struct scene *scene) {
    return scene->shared ? atomic_load(&scene->shared->away_until_ns) : 0;
}

void scene_stay_away(struct scene *scene, uint64_t time_ns) {
    if (scene->shared)
        atomic_store(&scene->shared->away_until_ns, time_ns);
}

/* ---- the jig ---- */

/* Quotient and remainder that go on evenly below zero. */
static int64_t floor_divide(int64_t number, int64_t divisor, int64_t *rest) {
    int64_t quotient = number / divisor - (number % divisor < 0);
    *rest = number - quotient * divisor;
    return quotient;
}

int64_t scene_rows_at(const struct scene_view *view, uint64_t time_ns) {
    int64_t rest_ns;
    int64_t period = (int64_t)view->period_ns;
    int64_t turns = floor_divide((int64_t)(time_ns - view->epoch_ns), period, &rest_ns);
    return turns * view->turn_lines + rest_ns * view->turn_lines / period;
}

uint64_t scene_time_of(const struct scene_view *view, int64_t rows) {
    if (rows <= 0)
        return view->epoch_ns;
    uint64_t turns = (uint64_t)rows / view->turn_lines, row = (uint64_t)rows % view->turn_lines;
    return view->epoch_ns + turns * view->period_ns + (row * view->period_ns + view->turn_lines - 1) / view->turn_lines;
}

uint32_t scene_surface_row(const struct scene_view *view, int64_t rows) {
    int64_t row;
    int64_t turns = floor_divide(rows, view->turn_lines, &row);
    int64_t slipped = row <= view->slip_row ? 0 : row - view->slip_row;
    if (slipped > view->slip_rows)
        slipped = view->slip_rows;
    floor_divide(rows - turns * view->slip_rows - slipped, view->turn_lines, &row);
    return (uint32_t)row;
}

uint64_t scene_pulse_after(const struct scene_view *view, uint32_t pulses_per_turn, uint64_t time_ns) {
    if (time_ns < view->epoch_ns)
        return view->epoch_ns;
    uint64_t elapsed = time_ns - view->epoch_ns;
    uint64_t turns = elapsed / view->period_ns;
    uint64_t pulse = elapsed % view->period_ns * pulses_per_turn / view->period_ns + 1;
    uint64_t offset = (pulse * view->period_ns + pulses_per_turn - 1) / pulses_per_turn;
    return view->epoch_ns + turns * view->period_ns + offset;
}
