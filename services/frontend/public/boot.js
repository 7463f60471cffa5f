// Loaded before everything else. A file of its own because the content security policy forbids
// inline scripts; in plain JavaScript because nothing translates it.

// The theme, so that the page never flashes in the wrong one.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem('atoll.theme');
  } catch {
    // Storage is blocked: follow the system.
  }
  if (choice !== 'light' && choice !== 'dark') {
    choice = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  document.documentElement.dataset.theme = choice;
})();

// A page whose program did not arrive would stay empty for ever: say so, and offer to try again.
addEventListener(
  'error',
  function (event) {
    var root = document.getElementById('root');
    if (!(event.target instanceof HTMLScriptElement) || root === null || root.hasChildNodes()) {
      return;
    }
    var chosen = null;
    try {
      chosen = localStorage.getItem('atoll.language');
    } catch {
      // Storage is blocked: follow the browser.
    }
    var chinese = /^zh/i.test(chosen || navigator.language);
    var main = document.createElement('main');
    // Said here: the style sheet may be missing too.
    main.style.cssText =
      'font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 20vh auto; padding: 1rem';
    var heading = document.createElement('h1');
    heading.textContent = chinese ? 'Atoll 未能加载' : 'Atoll could not be loaded';
    var text = document.createElement('p');
    text.textContent = chinese
      ? '与服务器的连接中断了。请重试。'
      : 'The connection to the server broke off. Try again.';
    var button = document.createElement('button');
    button.textContent = chinese ? '重试' : 'Try again';
    button.addEventListener('click', function () {
      location.reload();
    });
    main.append(heading, text, button);
    root.append(main);
  },
  true,
);
