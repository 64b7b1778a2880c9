/* First in, first out: the pool of buffers to fill and the queue of filled ones. */
#include "stream/stream.h"

void queue_push(struct buffer_queue *queue, struct buffer *buffer, enum buffer_state state) {
    buffer->next = NULL;
    buffer->state = state;
    if (queue->last)
        queue->last->next = buffer;
    else
        queue->first = buffer;
    queue->last = buffer;
    queue->length++;
}

struct buffer *queue_pop(struct buffer_queue *queue, enum buffer_state state) {
    struct buffer *buffer = queue->first;
    if (!buffer)
        return NULL;
    queue->first = buffer->next;
    if (!queue->first)
        queue->last = NULL;
    queue->length--;
    buffer->next = NULL;
    buffer->state = state;
    return buffer;
}
