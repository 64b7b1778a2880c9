/* The producer as a whole: its one lock, its names, and what of it is open.
 *
 * One lock guards everything. An entry point takes it with GENTL_ENTRY. It is released while a thread waits on a
 * condition, and in the functions named ..._unlocked; whoever calls something that waits looks again afterwards. */
#ifndef STATION_PRODUCER_H
#define STATION_PRODUCER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/answers.h"
#include "gentl.h"

#define PRODUCER_VENDOR "Inspection Station"
#define PRODUCER_MODEL "Simulated Line Scan"
#define PRODUCER_VERSION "1.1.0"
#define PRODUCER_FILE "station_linescan.cti"
#define SYSTEM_ID "station-linescan-system"
#define INTERFACE_ID "station-linescan-interface"
#define TL_TYPE "Custom"

enum { CAMERA_MAX = 4 };

struct producer {
    bool initialised, closing;
    unsigned camera_count;
    void *system;             /* handles of the open modules, else NULL */
    void *interface;          /* likewise */
    uint32_t device_selector; /* the interface's feature */
};
extern struct producer producer;
/* The library's file with its folder. */
const char *producer_path(void);

extern pthread_mutex_t producer_mutex;
/* Takes the lock; false when GCInitLib has not been called. The lock is held either way. */
bool producer_enter(void);
void producer_leave(const bool *entered);

/* First statement of an entry point: holds the lock until the function returns, refuses before GCInitLib. */
#define GENTL_ENTRY                                                                                                    \
    __attribute__((cleanup(producer_leave))) bool entered = producer_enter();                                          \
    if (!entered)                                                                                                      \
    return refuse(GC_ERR_NOT_INITIALIZED, "GCInitLib has not been called")

bool producer_release(void);
void producer_take_back(const bool *released);

/* First statement of a function named ..._unlocked: others may use the producer until it returns. */
#define UNLOCKED __attribute__((cleanup(producer_take_back), unused)) bool released = producer_release()

#endif
