/**
 * Files of rows: sys_attachment says what, sys_attachment_doc holds the bytes in base64 pieces.
 */

var query = require('./query');

/** Bytes of one piece; a multiple of 3, so that pieces of base64 can be joined. */
var PIECE_BYTES = 699999;

/**
 * Attach bytes to a row.
 *
 * @param {Object} platform
 * @param {{table, sysId, name, contentType}} file
 * @param {Object} bytes a Java byte array
 * @returns {string} sys_id of the attachment
 */
exports.write = function (platform, file, bytes) {
    var sysId = platform.records.insert('sys_attachment', {table_name: file.table, table_sys_id: file.sysId,
        file_name: file.name, content_type: file.contentType, size_bytes: String(bytes.length),
        state: 'available'});
    for (var start = 0, position = 0; start < bytes.length; start += PIECE_BYTES, position++) {
        var piece = java.util.Arrays.copyOfRange(bytes, start, Math.min(start + PIECE_BYTES, bytes.length));
        platform.records.insert('sys_attachment_doc', {sys_attachment: sysId, position: String(position),
            length: String(piece.length), data: String(java.util.Base64.getEncoder().encodeToString(piece))},
        {workflow: false});
    }
    return sysId;
};

/** The bytes of an attachment as a Java byte array. */
exports.bytes = function (platform, sysId) {
    var pieces = platform.records.query('sys_attachment_doc', query.equal({sys_attachment: sysId}),
        {orderBy: [{column: 'position'}]});
    return java.util.Base64.getDecoder().decode(pieces.map(function (piece) { return piece.data; }).join(''));
};

/** The bytes of an attachment read as UTF-8. */
exports.text = function (platform, sysId) {
    return String(new java.lang.String(exports.bytes(platform, sysId), 'UTF-8'));
};

/** The attachments of a row, oldest first; only those of a name when one is given. */
exports.list = function (platform, table, sysId, name) {
    var values = {table_name: table, table_sys_id: sysId};
    if (name) {
        values.file_name = name;
    }
    return platform.records.query('sys_attachment', query.equal(values));
};

exports.remove = function (platform, sysId) {
    var pieces = platform.records.query('sys_attachment_doc', query.equal({sys_attachment: sysId}));
    pieces.forEach(function (piece) {
        platform.records.remove('sys_attachment_doc', piece.sys_id, {workflow: false});
    });
    platform.records.remove('sys_attachment', sysId);
};

/** A text as UTF-8 bytes. */
exports.encoded = function (text) {
    return new java.lang.String(String(text)).getBytes('UTF-8');
};
