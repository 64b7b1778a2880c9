/* Handles: a slot number and the slot's generation. A closed handle's generation has passed, so it never fits again. */
#include "base/handles.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { SLOT_BITS = 20, SLOT_LIMIT = 1 << SLOT_BITS };

struct slot {
    enum module_kind kind; /* MODULE_NONE: free */
    uint32_t generation;
    void *object;
};
static struct slot *slots;
static uint32_t slot_count;

static bool grow(void) {
    uint32_t wanted = slot_count ? slot_count * 2 : 64;
    if (wanted > SLOT_LIMIT)
        return false;
    struct slot *larger = realloc(slots, wanted * sizeof *slots);
    if (!larger)
        return false;
    for (uint32_t i = slot_count; i < wanted; i++)
        larger[i] = (struct slot){MODULE_NONE, 0, NULL};
    slots = larger;
    slot_count = wanted;
    return true;
}

void *handle_open(enum module_kind kind, void *object) {
    uint32_t index = 0;
    while (index < slot_count && slots[index].kind != MODULE_NONE)
        index++;
    if (index == slot_count && !grow())
        return NULL;
    struct slot *slot = &slots[index];
    slot->kind = kind;
    slot->object = object;
    slot->generation++;
    return (void *)((uintptr_t)slot->generation << SLOT_BITS | index);
}

static struct slot *find(const void *handle) {
    uintptr_t index = (uintptr_t)handle & (SLOT_LIMIT - 1);
    if (!handle || index >= slot_count)
        return NULL;
    struct slot *slot = &slots[index];
    bool alive = slot->kind != MODULE_NONE && slot->generation == (uintptr_t)handle >> SLOT_BITS;
    return alive ? slot : NULL;
}

void handle_close(const void *handle) {
    struct slot *slot = find(handle);
    if (slot) {
        slot->kind = MODULE_NONE;
        slot->object = NULL;
    }
}

enum module_kind handle_kind(const void *handle) {
    struct slot *slot = find(handle);
    return slot ? slot->kind : MODULE_NONE;
}

void *handle_object(const void *handle, enum module_kind kind) {
    struct slot *slot = find(handle);
    return slot && slot->kind == kind ? slot->object : NULL;
}
