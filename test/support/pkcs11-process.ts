/** Another process that makes a key in the token and signs with it; says `{ publicJwk, signature }` as JSON. Arguments: library, token, PIN, name. */
import { createPkcs11Keeper } from '../../keys/pkcs11-keeper.ts'

const [module = '', token = '', pin = '', name = ''] = process.argv.slice(2)
const keeper = createPkcs11Keeper({ module, token, pin: { reveal: () => pin } })
const signer = await keeper.make(name, 'ES256')
const signature = await signer.sign('said elsewhere')
process.stdout.write(JSON.stringify({ publicJwk: signer.publicJwk, signature }))
await keeper.close()
