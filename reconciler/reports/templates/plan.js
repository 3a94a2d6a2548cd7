
"use strict";
(function () {
  var root = document.documentElement;
  var filter = document.getElementById("filter");
  var matches = document.getElementById("matches");
  var rows = null;
  var opened = [];
  root.classList.add("scripted");

  function words(element) {
    var titles = Array.from(element.querySelectorAll("[title]"), function (child) { return child.title; });
    return (element.textContent + " " + titles.join(" ")).toLowerCase();
  }
  function read() {
    var people = new Map();
    document.querySelectorAll("details.people > ul").forEach(function (list) {
      var row = list.closest("[data-row]");
      var items = Array.from(list.children, function (item) { return { element: item, text: words(item) }; });
      people.set(row, (people.get(row) || []).concat(items));
    });
    return Array.from(document.querySelectorAll("section:not(.urgent) [data-row]"), function (element) {
      return { element: element, text: words(element), inner: people.get(element) || [] };
    });
  }
  function unfold(element) {
    for (var parent = element.parentElement; parent; parent = parent.parentElement) {
      if (parent.tagName === "DETAILS" && !parent.open) { parent.open = true; opened.push(parent); }
    }
  }
  function narrow(row, wanted) {
    var fitting = wanted ? row.inner.filter(function (item) { return item.text.includes(wanted); }) : [];
    row.inner.forEach(function (item) {
      item.element.hidden = fitting.length > 0 && !item.text.includes(wanted);
    });
    if (fitting.length) { unfold(fitting[0].element); }
  }
  function leave(wanted) {
    document.querySelectorAll("section:not(.urgent) table, section:not(.urgent) .note").forEach(function (part) {
      var rows = part.querySelectorAll("[data-row]");
      if (rows.length) { part.hidden = wanted !== "" && !part.querySelector("[data-row]:not([hidden])"); }
    });
    document.querySelectorAll("details.matrix").forEach(function (part) {
      part.hidden = part.querySelector("table").hidden;
    });
    document.querySelectorAll("section:not(.urgent) h3").forEach(function (heading) {
      var element = heading.nextElementSibling;
      while (element && element.tagName !== "H3" && element.hidden) { element = element.nextElementSibling; }
      heading.hidden = wanted !== "" && (!element || element.tagName === "H3");
    });
  }
  function apply() {
    var wanted = filter.value.trim().toLowerCase();
    rows = rows || read();
    opened.forEach(function (element) { element.open = false; });
    opened = [];
    var shown = 0;
    rows.forEach(function (row) {
      var fits = !wanted || row.text.includes(wanted);
      row.element.hidden = !fits;
      if (fits) { shown += 1; narrow(row, wanted); }
      if (fits && wanted) { unfold(row.element); }
    });
    leave(wanted);
    matches.textContent = wanted ? shown + " of " + rows.length + " rows match" : "";
  }
  var waiting = 0;
  filter.addEventListener("input", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(apply, 120);
  });
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      filter.focus();
    }
  });

  function selected(element) {
    var selection = window.getSelection();
    var range = document.createRange();
    range.selectNodeContents(element);
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  }
  function copy(element, button) {
    button.setAttribute("aria-live", "polite");
    function say(done) {
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      window.setTimeout(function () { button.textContent = "Copy"; }, 2000);
    }
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(element.textContent).then(
        function () { say(true); }, function () { say(selected(element)); });
    } else {
      say(selected(element));
    }
  }
  function equip(within) {
    within.querySelectorAll("code[data-copy]").forEach(function (element) {
      var block = element.closest("pre") || element;
      var closed = element.closest("details:not([open])");
      if (closed || (block.nextElementSibling && block.nextElementSibling.className === "copy")) { return; }
      var button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-description", element.textContent.slice(0, 80));
      button.addEventListener("click", function () { copy(element, button); });
      block.after(button);
    });
  }
  document.querySelectorAll("section").forEach(function (section) {
    if (!section.querySelector(":scope > details:not([open])")) { equip(section); }
  });
  document.addEventListener("toggle", function (event) { if (event.target.open) { equip(event.target); } }, true);

  var read_at = document.getElementById("read");
  var hours = (Date.now() - Date.parse(read_at.dateTime)) / 3600000;
  if (read_at.hasAttribute("data-ages") && hours > 24) {
    var age = document.getElementById("age");
    var told = hours >= 48 ? Math.floor(hours / 24) + " days" : Math.floor(hours) + " hours";
    age.className = "age";
    age.textContent = "That was " + told + " ago: the tenant may have changed since. Plan again before you apply.";
  }

  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    folded.forEach(function (element) { element.open = true; });
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (element) { element.open = false; });
    folded = [];
  });
}());
