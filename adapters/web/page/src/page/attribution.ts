/**
 * The words that the owner of the tiles asks for. Of the HTML that such words are usually given in, links and
 * text are kept and nothing else: what comes from a configuration must not be able to run.
 */
export function attribution(html: string): Node[] {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return [...parsed.body.childNodes].map((node) => {
    const text = node.textContent ?? "";
    if (!(node instanceof HTMLAnchorElement) || !/^https?:/.test(node.href))
      return document.createTextNode(text);
    const link = document.createElement("a");
    link.href = node.href;
    link.rel = "noopener";
    link.target = "_blank";
    link.textContent = text;
    return link;
  });
}
