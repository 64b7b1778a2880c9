/* Drives the simulated camera as the worst of consumers would, for a producer that was built with a sanitizer.
 *
 * usage: gentl_exerciser ROUNDS. Exit status 0: nothing was wrong that the program itself can see. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "camera/faults.h"
#include "gentl_session.h"
#include "transport/on_demand.h"

enum { THREADS = 4, CAMERAS = 2 };
enum { AT_WIDTH = 0x094, AT_HEIGHT = 0x098, AT_CHUNKS = 0x0AC, AT_MODE = 0x0B0, AT_FORMAT = 0x0A0, AT_TRIGGER = 0x0E0 };
enum { AT_FAULT = 0x110, AT_SCENE = 0x120, AT_START = 0x1E0, AT_STOP = 0x1E4, AT_ABORT = 0x1E8, AT_SOFTWARE = 0x1EC };
enum { AT_RESET = 0x21C, AT_LOAD = 0x238, AT_SAVE = 0x23C };

void must(int holds, const char *what) {
    if (holds)
        return;
    char text[256] = "";
    size_t size = sizeof text;
    GC_ERROR code = 0;
    GCGetLastError(&code, text, &size);
    fprintf(stderr, "%s; the last refusal here was %d: %s\n", what, (int)code, text);
    exit(1);
}

static unsigned next_random(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8u;
}

/* ---- a scene: a jig that turns within 4 ms, and faults that are ordered through it ---- */

enum { TURN_LINES = 32, SCENE_SIZE = 4096 + WIDTH * TURN_LINES };
static char scene_name[64];
static uint8_t *scene;

static void make_scene(void) {
    snprintf(scene_name, sizeof scene_name, "/station-exerciser-%d", (int)getpid());
    int file = shm_open(scene_name, O_RDWR | O_CREAT | O_EXCL, 0600);
    must(file >= 0 && ftruncate(file, SCENE_SIZE) == 0, "shared memory");
    scene = mmap(NULL, SCENE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    must(scene != MAP_FAILED, "shared memory");
    const uint32_t sizes[] = {1, 4096, WIDTH, TURN_LINES, 0};
    const uint64_t sequence = 2, motion[] = {1ull << 32u | 1u, 1000000, 4000000};
    memset(scene + 4096, 200, WIDTH * TURN_LINES);
    memcpy(scene + 8, sizes, sizeof sizes);
    memcpy(scene + 32, &sequence, sizeof sequence);
    memcpy(scene + 48, motion, sizeof motion);
    memcpy(scene, "STNSCENE", 8);
}

static void order_fault(unsigned fault, unsigned block) {
    atomic_store((_Atomic uint32_t *)(scene + 144), fault);
    atomic_store((_Atomic uint32_t *)(scene + 148), block);
    atomic_store((_Atomic uint32_t *)(scene + 156), 1);
    atomic_fetch_add((_Atomic uint64_t *)(scene + 128), 1);
}

/* ---- one consumer's modules ---- */

static GC_ERROR write_number(PORT_HANDLE port, uint64_t address, uint32_t value) {
    size_t size = sizeof value;
    return GCWritePort(port, address, &value, &size);
}

void open_all(struct session *session, const char *camera) {
    memset(session, 0, sizeof *session);
    must(TLOpen(&session->system) == 0, "TLOpen");
    must(TLOpenInterface(session->system, "station-linescan-interface", &session->interface) == 0, "TLOpenInterface");
    must(IFUpdateDeviceList(session->interface, NULL, 0) == 0, "IFUpdateDeviceList");
    must(IFOpenDevice(session->interface, camera, DEVICE_ACCESS_EXCLUSIVE, &session->device) == 0, "IFOpenDevice");
    must(DevGetPort(session->device, &session->remote) == 0, "DevGetPort");
    must(DevOpenDataStream(session->device, camera, &session->stream) == 0, "DevOpenDataStream");
    must(GCRegisterEvent(session->stream, EVENT_NEW_BUFFER, &session->event) == 0, "GCRegisterEvent");
    must(write_number(session->remote, AT_WIDTH, WIDTH) == 0, "Width");
    must(write_number(session->remote, AT_HEIGHT, LINES) == 0, "Height");
    size_t length = strlen(scene_name) + 1;
    if (strcmp(camera, "station-linescan-2") == 0)
        must(GCWritePort(session->remote, AT_SCENE, scene_name, &length) == 0, "SimScene");
    for (size_t i = 0; i < BUFFERS; i++) {
        GC_ERROR announced = i % 2 ? DSAllocAndAnnounceBuffer(session->stream, sizeof session->memory[0], session,
                                                              &session->buffers[i])
                                   : DSAnnounceBuffer(session->stream, session->memory[i / 2],
                                                      sizeof session->memory[0], session, &session->buffers[i]);
        must(announced == 0, "announce");
    }
}

static void start(struct session *session) {
    for (size_t i = 0; i < BUFFERS; i++)
        DSQueueBuffer(session->stream, session->buffers[i]);
    DSStartAcquisition(session->stream, ACQ_START_FLAGS_DEFAULT, GENTL_INFINITE);
    write_number(session->remote, AT_START, 1);
}

/* Takes one block and reads all of it; its handle, NULL without. */
static BUFFER_HANDLE take(struct session *session, uint64_t timeout_ms) {
    EVENT_NEW_BUFFER_DATA data = {NULL, NULL};
    size_t size = sizeof data;
    if (EventGetData(session->event, &data, &size, timeout_ms) != 0)
        return NULL;
    atomic_fetch_add(&session->blocks, 1);
    return data.BufferHandle;
}

static unsigned read_pixels(struct session *session, BUFFER_HANDLE buffer) {
    const uint8_t *base = NULL;
    size_t filled = 0, size = sizeof base, size_of_filled = sizeof filled;
    must(DSGetBufferInfo(session->stream, buffer, BUFFER_INFO_BASE, NULL, &base, &size) == 0, "base");
    must(DSGetBufferInfo(session->stream, buffer, BUFFER_INFO_SIZE_FILLED, NULL, &filled, &size_of_filled) == 0, "size");
    unsigned sum = 0;
    for (size_t i = 0; i < filled; i++)
        sum += base[i];
    return sum;
}

/* ---- one thread: every fault, every way to end ---- */

static void end_somehow(struct session *session, unsigned way) {
    if (way % 2) {
        write_number(session->remote, way % 4 == 1 ? AT_STOP : AT_ABORT, 1);
        DSStopAcquisition(session->stream, way % 8 < 4 ? ACQ_STOP_FLAGS_KILL : ACQ_STOP_FLAGS_DEFAULT);
        DSFlushQueue(session->stream, ACQ_QUEUE_ALL_DISCARD);
        for (size_t i = 0; i < BUFFERS; i++)
            must(DSRevokeBuffer(session->stream, session->buffers[i], NULL, NULL) == 0, "revoke");
    }
    if (way % 3 == 0)
        must(DSClose(session->stream) == 0, "DSClose");
    if (way % 5 == 0)
        must(DevClose(session->device) == 0, "DevClose");
    if (way % 7 == 0)
        must(IFClose(session->interface) == 0, "IFClose");
    must(TLClose(session->system) == 0, "TLClose");
}

static void faults_one_after_the_other(unsigned rounds) {
    static struct session session;
    unsigned taken = 0, sum = 0;
    for (unsigned round = 0; round < rounds; round++) {
        open_all(&session, round % 2 ? "station-linescan-1" : "station-linescan-2");
        write_number(session.remote, AT_FORMAT, round % 3 == 1 ? 0x01100005 : 0x01080001);
        write_number(session.remote, AT_CHUNKS, round % 2);
        station_sim_set_fault((round + 1) % 2, (int32_t)(round % FAULT_COUNT), 2, round % LINES, 5, (int32_t)(round % 6));
        start(&session);
        for (unsigned i = 0; i < 6; i++) {
            BUFFER_HANDLE buffer = take(&session, 20);
            if (!buffer)
                continue;
            taken++;
            sum += read_pixels(&session, buffer);
            DSQueueBuffer(session.stream, buffer);
        }
        end_somehow(&session, round);
    }
    must(taken > rounds && sum > 0, "hardly any block came");
}

/* ---- many threads: nobody knows what the others do ---- */

/* Leaves the lock to the others for a moment: a mutex is not fair, and the machine may be busy. */
static void pause_us(long duration) {
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, duration * 1000}, NULL);
}

struct work {
    struct session *session;
    unsigned camera, random;
};

static void *consume(void *argument) {
    const struct work *work = argument;
    struct session *session = work->session;
    while (!atomic_load(&session->ended)) {
        BUFFER_HANDLE buffer = take(session, 2);
        if (buffer)
            DSQueueBuffer(session->stream, buffer);
    }
    return NULL;
}

static void *control(void *argument) {
    struct work *work = argument;
    struct session *session = work->session;
    static const uint32_t commands[] = {AT_START, AT_STOP, AT_ABORT, AT_SOFTWARE, AT_LOAD, AT_SAVE, AT_MODE, AT_RESET};
    while (!atomic_load(&session->ended)) {
        unsigned choice = next_random(&work->random) % 64;
        if (choice < 7)
            write_number(session->remote, commands[choice], 1);
        else if (choice == 7)
            write_number(session->remote, AT_RESET, 1);
        else if (choice < 20)
            station_sim_set_fault(work->camera, (int32_t)(next_random(&work->random) % FAULT_COUNT), 1 + choice % 3,
                                  choice, 1, (int32_t)(next_random(&work->random) % CALL_COUNT));
        else if (choice < 24)
            station_sim_disconnect(work->camera, choice % 2 == 0);
        else if (choice < 34)
            write_number(session->remote, AT_TRIGGER + 16 * (choice % 3), choice % 2);
        else if (choice < 37)
            order_fault(next_random(&work->random) % FAULT_COUNT, choice % 3);
        else
            start(session);
        pause_us(50);
    }
    return NULL;
}

static void *ask(void *argument) {
    const struct work *work = argument;
    struct session *session = work->session;
    char text[256];
    while (!atomic_load(&session->ended)) {
        for (unsigned item = 0; item < 14; item++) {
            size_t size = sizeof text, size2 = sizeof text, size3 = 4;
            DSGetInfo(session->stream, (STREAM_INFO_CMD)item, NULL, text, &size);
            DevGetInfo(session->device, (DEVICE_INFO_CMD)(item % 10), NULL, text, &size2);
            GCReadPort(session->remote, 0x200 + 8 * item, text, &size3);
        }
        for (size_t i = 0; i < BUFFERS; i++) {
            size_t size = sizeof text;
            DSGetBufferInfo(session->stream, session->buffers[i], BUFFER_INFO_FRAMEID, NULL, text, &size);
        }
        IFUpdateDeviceList(session->interface, NULL, 0);
        pause_us(50);
    }
    return NULL;
}

static void *disturb(void *argument) {
    struct work *work = argument;
    struct session *session = work->session;
    while (!atomic_load(&session->ended)) {
        EventKill(session->event);
        EventFlush(session->event);
        DSFlushQueue(session->stream, (ACQ_QUEUE_TYPE)(next_random(&work->random) % 5));
        DSStopAcquisition(session->stream, ACQ_STOP_FLAGS_KILL);
        pause_us(300);
    }
    return NULL;
}

static void close_under(struct session *session, unsigned way) {
    const GC_ERROR closed = way % 5 == 0   ? DSClose(session->stream)
                            : way % 5 == 1 ? DevClose(session->device)
                            : way % 5 == 2 ? IFClose(session->interface)
                            : way % 5 == 3 ? TLClose(session->system)
                                           : GCUnregisterEvent(session->stream, EVENT_NEW_BUFFER);
    must(closed == 0, "closing while others work");
}

static unsigned all_at_once(unsigned rounds) {
    static void *(*const jobs[THREADS])(void *) = {consume, control, ask, disturb};
    static struct session session;
    unsigned blocks = 0;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned camera = round % CAMERAS;
        must(station_sim_disconnect(camera, 0) == 0, "plugging in");
        open_all(&session, camera ? "station-linescan-2" : "station-linescan-1");
        start(&session);
        pthread_t threads[THREADS];
        struct work works[THREADS];
        for (unsigned i = 0; i < THREADS; i++) {
            works[i] = (struct work){&session, camera, round * THREADS + i};
            must(pthread_create(&threads[i], NULL, jobs[i], &works[i]) == 0, "thread");
        }
        pause_us(15000);
        close_under(&session, round);
        atomic_store(&session.ended, true);
        for (unsigned i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        if (round % 5 != 3)
            must(TLClose(session.system) == 0, "TLClose");
        if (round % 4 == 0)
            must(GCCloseLib() == 0 && GCInitLib() == 0, "once more from the beginning");
        blocks += atomic_load(&session.blocks);
    }
    return blocks;
}

int main(int count, char **words) {
    unsigned rounds = count > 1 ? (unsigned)strtoul(words[1], NULL, 10) : 20;
    must(GCInitLib() == 0, "GCInitLib");
    make_scene();
    refuse_what_is_no_handle();
    faults_one_after_the_other(rounds);
    unsigned blocks = all_at_once(rounds);
    must(GCCloseLib() == 0, "GCCloseLib");
    shm_unlink(scene_name);
    printf("%u blocks\n", blocks);
    return blocks > 0 ? 0 : 1;
}
