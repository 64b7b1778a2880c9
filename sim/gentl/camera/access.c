/* What a consumer may do to a register, as its rule says. */
#include "camera/access.h"

#include <string.h>

#include "base/answers.h"
#include "camera/rules.h"

static GC_ERROR refuse_address(uint64_t address, size_t size) {
    return refuse(GC_ERR_INVALID_ADDRESS, "no register of %zu bytes at 0x%llx", size, (unsigned long long)address);
}

GC_ERROR registers_read(struct camera *camera, uint64_t address, void *value, size_t size) {
    const struct rule *rule = rule_at(address);
    if (!rule || size > rule->size)
        return refuse_address(address, size);
    if (rule->access == WRITE_ONLY)
        return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%x is write only", rule->address);
    if (rule->compute)
        rule->compute(camera);
    memcpy(value, (const char *)&camera->registers + rule->address, size);
    return GC_ERR_SUCCESS;
}

static uint32_t whole_of(const void *value) {
    uint32_t number;
    memcpy(&number, value, sizeof number);
    return number;
}

static double real_of(const void *value) {
    double number;
    memcpy(&number, value, sizeof number);
    return number;
}

static bool in_range(const struct rule *rule, const void *value) {
    double number = rule->kind == WHOLE ? whole_of(value) : real_of(value);
    return number >= rule->lowest && number <= rule->highest;
}

/* Whether the register, as it is and as the others are, takes this value of the right size. */
static bool takes(const struct rule *rule, const struct registers *now, const void *value) {
    if (rule->kind == TEXT)
        return true;
    return in_range(rule, value) && (!rule->fits || rule->fits(now, whole_of(value)));
}

static GC_ERROR check_write(const struct camera *camera, const struct rule *rule, const void *value, size_t size) {
    unsigned address = rule->address;
    if (rule->access == READ_ONLY)
        return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%x is read only", address);
    if (rule->access == LOCKABLE && (camera->acquiring || camera->registers.tl_params_locked))
        return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%x is locked while images stream", address);
    if (rule->kind == TEXT ? !memchr(value, 0, size) : size != rule->size)
        return refuse(GC_ERR_INVALID_VALUE, "%zu bytes do not fit the register at 0x%x", size, address);
    if (!takes(rule, &camera->registers, value))
        return refuse(GC_ERR_INVALID_VALUE, "the value for the register at 0x%x is out of range", address);
    return GC_ERR_SUCCESS;
}

GC_ERROR registers_write(struct camera *camera, uint64_t address, const void *value, size_t size) {
    const struct rule *rule = rule_at(address);
    if (!rule || size > rule->size)
        return refuse_address(address, size);
    GC_ERROR checked = check_write(camera, rule, value, size);
    if (checked)
        return checked;
    char *target = (char *)&camera->registers + rule->address;
    memset(target, 0, rule->size);
    memcpy(target, value, size);
    return rule->act ? rule->act(camera) : GC_ERR_SUCCESS;
}
