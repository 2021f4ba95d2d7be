/** The npm package pkcs11js, which may not be installed. What is used of it is in pkcs11-module.ts. */
declare module 'pkcs11js' {
  const library: { readonly PKCS11: new () => object }
  export default library
}
