/* The data stream: announced buffers, the pool to fill, the queue of filled ones, and the event that tells of them. */
#ifndef STATION_STREAM_H
#define STATION_STREAM_H

#include <stdbool.h>

#include "camera/registers.h"
#include "gentl.h"

struct camera;

enum { BUFFERS_MIN = 2, CHUNK_ID_FIRST = 0x1001 /* of CHUNK_FRAME_ID; the others follow */ };

/* What is known of a filled block. */
struct block {
    uint64_t frame_id;     /* counts from 1 at every AcquisitionStart, or on from next_frame_id; a lost block leaves a gap */
    uint64_t timestamp_ns; /* CLOCK_MONOTONIC at the end of its last line */
    uint32_t width, height, offset_x, pixel_format;
    uint32_t lines;      /* delivered, at most height */
    size_t image_size;   /* bytes of a whole block's image */
    size_t filled, data; /* bytes written; bytes that there should have been */
    uint32_t chunks;             /* 1 << enum chunk of those behind the image */
    uint64_t values[CHUNK_COUNT]; /* of chunks with one value; line status: at the first line */
    bool incomplete, too_large, big_endian;
};

enum buffer_state { BUFFER_IDLE, BUFFER_QUEUED, BUFFER_FILLING, BUFFER_FILLED, BUFFER_TAKEN };

struct buffer {
    struct buffer *next;           /* in the queue that its state names */
    struct buffer *next_announced; /* among all of the stream */
    struct stream *stream;
    void *handle;
    uint8_t *base;
    size_t size;
    void *user;
    bool own_memory; /* allocated by the producer */
    enum buffer_state state;
    struct block block;
};

struct buffer_queue {
    struct buffer *first, *last;
    size_t length;
};

struct new_buffer_event {
    void *handle;     /* NULL: not registered */
    unsigned waiting; /* threads inside EventGetData */
    unsigned kills;   /* EventKill calls that have not ended a wait yet */
    uint64_t fired;
};

struct stream {
    void *handle; /* NULL: closed */
    struct camera *camera;
    struct buffer *announced;
    size_t announced_count;
    struct buffer_queue input, output;
    struct buffer *filling;
    struct new_buffer_event event;
    bool grabbing, killed; /* killed: end the block that is being filled */
    bool closing;
    uint64_t remaining;    /* buffers to deliver before the engine stops by itself */
    uint64_t delivered, underruns, started;
};

GC_ERROR stream_open(struct stream *stream, struct camera *camera, DS_HANDLE *handle);
/* Ends everything of the stream; returns when that is done, also if somebody else does it. */
void stream_close(struct stream *stream);
/* A buffer to fill; NULL when the engine stands or the pool is empty (which counts as an underrun). */
struct buffer *stream_take_input(struct stream *stream);
/* Ends filling: the buffer joins the output queue, or goes back to the pool. */
void stream_deliver(struct stream *stream, struct buffer *buffer);
void stream_give_back(struct stream *stream, struct buffer *buffer);

/* announce.c: the buffer of a handle if it belongs to this stream, else NULL. */
struct buffer *stream_buffer(const struct stream *stream, BUFFER_HANDLE handle);

void stream_forget_buffers(struct stream *stream);

/* event.c: forgets the event; whoever waits for it returns first. */
void event_close(struct stream *stream);

/* queue.c */
void queue_push(struct buffer_queue *queue, struct buffer *buffer, enum buffer_state state);
struct buffer *queue_pop(struct buffer_queue *queue, enum buffer_state state);

#endif
