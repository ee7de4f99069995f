/**
 * Asks Cognito to end all sessions of the user of this access token: refresh tokens are good for nothing from then on, and
 * access tokens are refused by whoever asks Cognito about them.
 */
export async function globalSignOut(url: string, accessToken: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.GlobalSignOut',
    },
    body: JSON.stringify({ AccessToken: accessToken }),
  })
  if (!response.ok) throw new Error(`the sessions were not ended: HTTP ${response.status}`)
}
