/**
 * Feature bits that every device shares (specification, "Reserved Feature Bits").
 *
 * @module
 */

/** The device signals the driver when it has used up a ring, whatever the driver asked for. */
export const F_NOTIFY_ON_EMPTY = 1n << 24n;
/** Descriptors may refer to tables of further descriptors. */
export const F_INDIRECT_DESC = 1n << 28n;
/** Notifications are wanted at an index instead of always or never. */
export const F_EVENT_IDX = 1n << 29n;
/** The device follows version 1 of the specification or later. */
export const F_VERSION_1 = 1n << 32n;

/** What the split queue of this project supports. */
export const QUEUE_FEATURES = F_NOTIFY_ON_EMPTY | F_INDIRECT_DESC | F_EVENT_IDX | F_VERSION_1;
