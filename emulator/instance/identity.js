/**
 * sys_ids and the clock in the platform's format.
 */

/** 32 hex digits from a strong source. */
exports.sysId = function () {
    return String(java.util.UUID.randomUUID()).replace(/-/g, '');
};

/** The same 32 hex digits for the same subject, on every instance. */
exports.derived = function (subject) {
    var bytes = new java.lang.String(subject).getBytes('UTF-8');
    return String(java.util.UUID.nameUUIDFromBytes(bytes)).replace(/-/g, '');
};

/** Now in UTC as 'yyyy-MM-dd HH:mm:ss'. */
exports.now = function () {
    return new Date().toISOString().slice(0, 19).replace('T', ' ');
};
