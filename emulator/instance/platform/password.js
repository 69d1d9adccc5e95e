/**
 * Passwords of users: kept as a salted hash, told apart from plain ones by a marker.
 */

var MARK = 'pbkdf2$';
/** Few, for users are many and made often; nothing but a loopback address ever sees these passwords. */
var ROUNDS = 1000;
var BITS = 256;

/** @returns {string} what is stored for a plain password */
exports.hash = function (plain) {
    var salt = java.lang.reflect.Array.newInstance(java.lang.Byte.TYPE, 16);
    new java.security.SecureRandom().nextBytes(salt);
    return MARK + ROUNDS + '$' + encode(salt) + '$' + encode(derive(plain, salt, ROUNDS));
};

/** @returns {boolean} whether a stored value is a hash already */
exports.isHash = function (stored) {
    return String(stored).indexOf(MARK) === 0;
};

/** @returns {boolean} whether the plain password is the one that was hashed */
exports.matches = function (plain, stored) {
    var parts = String(stored || '').split('$');
    if (parts.length !== 4 || !exports.isHash(stored)) {
        return false;
    }
    return Boolean(java.security.MessageDigest.isEqual(
        derive(plain, decode(parts[2]), parseInt(parts[1], 10)), decode(parts[3])
    ));
};

function derive(plain, salt, rounds) {
    var letters = new java.lang.String(plain).toCharArray();
    var wish = new javax.crypto.spec.PBEKeySpec(letters, salt, rounds, BITS);
    return javax.crypto.SecretKeyFactory.getInstance('PBKDF2WithHmacSHA256').generateSecret(wish)
        .getEncoded();
}

function encode(bytes) {
    return String(java.util.Base64.getEncoder().encodeToString(bytes));
}

function decode(text) {
    return java.util.Base64.getDecoder().decode(text);
}
