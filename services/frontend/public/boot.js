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

// A page whose program did not arrive would stay empty for ever. Once it is asked for again, after a
// moment: browsers drop their requests when the network changes. Then the page says so.
(function () {
  var reloaded = 'atoll.reloaded';
  var minute = 60000;

  function reloadOnce() {
    try {
      if (Date.now() - Number(sessionStorage.getItem(reloaded)) < minute) return false;
      sessionStorage.setItem(reloaded, String(Date.now()));
    } catch {
      return false; // Without a store it could go on for ever.
    }
    setTimeout(function () {
      location.reload();
    }, 1000);
    return true;
  }

  function speaksChinese() {
    var chosen = null;
    try {
      chosen = localStorage.getItem('atoll.language');
    } catch {
      // Storage is blocked: follow the browser.
    }
    return /^zh/i.test(chosen || navigator.language);
  }

  // How it looks is said here: the style sheet may be missing too.
  function add(parent, name, text, style) {
    var element = document.createElement(name);
    element.textContent = text;
    element.style.cssText = style;
    parent.append(element);
    return element;
  }

  function tell(root) {
    var chinese = speaksChinese();
    var main = add(root, 'main', '', 'max-width: 28rem; margin: 20vh auto; padding: 1.5rem');
    main.style.font = '1rem/1.5 system-ui, sans-serif';
    document.documentElement.lang = chinese ? 'zh-CN' : 'en';
    add(
      main,
      'h1',
      chinese ? 'Atoll 未能加载' : 'Atoll could not be loaded',
      'font-size: 1.5rem; font-weight: 600; margin: 0 0 0.5rem',
    );
    add(
      main,
      'p',
      chinese
        ? '与服务器的连接中断了。请重试。'
        : 'The connection to the server broke off. Try again.',
      'margin: 0 0 1.25rem',
    );
    add(
      main,
      'button',
      chinese ? '重试' : 'Try again',
      'font: inherit; color: inherit; background: none; cursor: pointer; padding: 0.5rem 1rem; ' +
        'border: 1px solid; border-radius: 0.5rem',
    ).addEventListener('click', function () {
      location.reload();
    });
  }

  addEventListener(
    'error',
    function (event) {
      var root = document.getElementById('root');
      if (!(event.target instanceof HTMLScriptElement) || root === null) return;
      if (!root.hasChildNodes() && !reloadOnce()) tell(root);
    },
    true,
  );
})();
