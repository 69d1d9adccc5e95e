/** Base64, by Java's coder: not the one that is tested. */

exports.encoded = function (list) {
    var array = java.lang.reflect.Array.newInstance(java.lang.Byte.TYPE, list.length);
    list.forEach(function (value, i) {
        array[i] = value > 127 ? value - 256 : value;
    });
    return String(java.util.Base64.getEncoder().encodeToString(array));
};

exports.decoded = function (text) {
    var array = java.util.Base64.getDecoder().decode(text);
    var list = [];
    var i;
    for (i = 0; i < array.length; i++) {
        list.push(array[i] & 255);
    }
    return list;
};
