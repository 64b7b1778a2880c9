/* What the parts of the exerciser share: one consumer with all its modules open. */
#ifndef GENTL_SESSION_H
#define GENTL_SESSION_H

#include <stdatomic.h>

#include "gentl.h"

enum { WIDTH = 64, LINES = 16, BUFFERS = 6 };

struct session {
    TL_HANDLE system;
    IF_HANDLE interface;
    DEV_HANDLE device;
    PORT_HANDLE remote;
    DS_HANDLE stream;
    EVENT_HANDLE event;
    BUFFER_HANDLE buffers[BUFFERS];
    uint8_t memory[BUFFERS / 2][WIDTH * LINES * 2 + 64];
    atomic_bool ended;
    atomic_uint blocks;
};

/* Ends the program, with the words and the producer's last refusal, when something does not hold. */
void must(int holds, const char *what);
/* Opens everything down to the stream of a camera, and announces its buffers, in turn the session's and its own. */
void open_all(struct session *session, const char *camera);

/* gentl_refusals.c */
void refuse_what_is_no_handle(void);

#endif
