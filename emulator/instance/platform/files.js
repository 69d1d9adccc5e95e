/**
 * The data files beside this module.
 */

var folder = new java.io.File(java.net.URI.create(module.uri)).getParentFile();

/** @returns {string} the text of a file of the platform folder */
exports.read = function (name) {
    var path = new java.io.File(folder, name).toPath();
    return String(new java.lang.String(java.nio.file.Files.readAllBytes(path), 'UTF-8'));
};
