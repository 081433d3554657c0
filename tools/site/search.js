// Finds the sections whose title or text contains all the words that are typed; the words are in search-words.js.
document.addEventListener("DOMContentLoaded", function () {
  var input = document.getElementById("words");
  var text = document.getElementById("text");
  var shown = Array.from(text.childNodes);
  function line(section) {
    var item = document.createElement("li");
    var link = document.createElement("a");
    link.href = section.chapter + ".html#" + section.anchor;
    link.textContent = section.title;
    link.addEventListener("click", function () { input.value = ""; show(); });
    item.append(link, " · " + section.text.slice(0, 120));
    return item;
  }
  function show() {
    var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) { text.replaceChildren.apply(text, shown); return; }
    var list = document.createElement("ul");
    window.sections.filter(function (section) {
      var all = (section.title + "\n" + section.text).toLowerCase();
      return words.every(function (word) { return all.indexOf(word) >= 0; });
    }).slice(0, 30).forEach(function (section) { list.append(line(section)); });
    text.replaceChildren(list);
  }
  input.addEventListener("input", show);
  input.form.addEventListener("submit", function (event) { event.preventDefault(); });
});
