(function () {
    data.user = {id: gs.getUserID(), name: gs.getUserDisplayName()};
})();
