/**
 * An object's own properties: objects are the tables of names here, and no name may find something inherited.
 */

/** @returns {boolean} whether the object itself has that property */
exports.has = function (object, name) {
    return Object.prototype.hasOwnProperty.call(object, name);
};

/** Another object with the same properties. */
exports.copy = function (object) {
    var result = {};
    Object.keys(object).forEach(function (name) { result[name] = object[name]; });
    return result;
};
