/**
 * Features of the vhost-user protocol itself, and the virtio bit that stands for them all.
 *
 * Source: QEMU, docs/interop/vhost-user.rst ("Protocol features").
 *
 * @module
 */

/** `VHOST_USER_F_PROTOCOL_FEATURES`: protocol features are negotiated, rings start disabled. */
export const F_PROTOCOL_FEATURES = 1n << 30n;

/** `GET_QUEUE_NUM` is answered. */
const PROTOCOL_F_MQ = 1n << 0n;
/** `need_reply` asks for the outcome of any request. */
export const PROTOCOL_F_REPLY_ACK = 1n << 3n;
/** `SET_BACKEND_REQ_FD` brings a channel for requests of the back-end. */
const PROTOCOL_F_BACKEND_REQ = 1n << 5n;
/** `GET_CONFIG` and `SET_CONFIG` are served. */
export const PROTOCOL_F_CONFIG = 1n << 9n;
/** `RESET_DEVICE` is served. */
const PROTOCOL_F_RESET_DEVICE = 1n << 13n;
/** Memory regions come and go one by one. */
const PROTOCOL_F_CONFIGURE_MEM_SLOTS = 1n << 15n;
/** `SET_STATUS` and `GET_STATUS` carry the virtio device status. */
const PROTOCOL_F_STATUS = 1n << 16n;
/** Memory regions may be another domain's, on a host of Xen. */
export const PROTOCOL_F_XEN_MMAP = 1n << 17n;

/** What this back-end offers everywhere for a device with a configuration space. */
export const PROTOCOL_FEATURES = PROTOCOL_F_MQ | PROTOCOL_F_REPLY_ACK | PROTOCOL_F_BACKEND_REQ |
  PROTOCOL_F_CONFIG | PROTOCOL_F_RESET_DEVICE | PROTOCOL_F_CONFIGURE_MEM_SLOTS | PROTOCOL_F_STATUS;
