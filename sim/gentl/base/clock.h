/* CLOCK_MONOTONIC in nanoseconds: the producer's only clock, shared with the simulated cell. */
#ifndef STATION_CLOCK_H
#define STATION_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

static inline uint64_t clock_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline struct timespec clock_timespec(uint64_t time_ns) {
    return (struct timespec){.tv_sec = (time_t)(time_ns / NS_PER_S), .tv_nsec = (long)(time_ns % NS_PER_S)};
}

static inline void clock_sleep_ns(uint64_t duration_ns) {
    struct timespec duration = clock_timespec(duration_ns);
    nanosleep(&duration, NULL);
}

#endif
