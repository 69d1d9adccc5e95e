/**
 * The tables of sessions: session, output, request, claim and audit, with their columns and indexes.
 *
 * A missing table, column or index is made, one that differs is mended; rows are left as they are.
 */
(function () {
    var DRY_RUN = false; // true: only print what would be done
    /* include converge.js */

    var WANTED = /* wanted table session output request claim audit */ [];

    new Convergence(WANTED, DRY_RUN).run();
})();
