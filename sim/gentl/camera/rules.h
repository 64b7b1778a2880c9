/* The register map's rules: who may read or write what, when, which values, and what then happens. */
#ifndef STATION_RULES_H
#define STATION_RULES_H

#include "camera/camera.h"
#include "camera/effects.h"

enum access { READ_ONLY, WRITE_ONLY, READ_WRITE, LOCKABLE /* READ_WRITE, but not while images stream */ };
enum kind { TEXT, WHOLE, REAL };

struct rule {
    uint32_t address, size;
    enum access access;
    enum kind kind;
    double lowest, highest; /* numbers only */
    bool setting;           /* user sets hold it */
    limit *fits;            /* of WHOLE; NULL: nothing beyond the range */
    read_effect *compute;   /* NULL: it is read as it was left */
    write_effect *act;      /* NULL: the write is kept and nothing more */
};

/* The rule of the register that begins at this address; NULL: none does. */
const struct rule *rule_at(uint64_t address);
/* Settings take the values that a user set holds; one that was never saved holds the factory's. */
void user_set_load(struct registers *registers, const struct flash *flash, uint32_t user_set);

#endif
