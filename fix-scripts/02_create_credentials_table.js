/**
 * The tables of keys: credential (what is known of users' API keys, never one that could be read) and mid_status
 * (the public keys of the sidecars, and their health), with their columns and indexes.
 */
(function () {
    var DRY_RUN = false; // true: only print what would be done
    /* include converge.js */

    var WANTED = /* wanted table credential mid_status */ [];

    new Convergence(WANTED, DRY_RUN).run();
})();
