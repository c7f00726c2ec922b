/** A person's own account: who they are here, their password and recovery code, and where they are logged in. */
import { useView } from "../engine-context";
import { Badge } from "../parts/Badge";
import { CopyButton } from "../parts/CopyButton";
import { Facts, Page, Section } from "../parts/Page";
import { ExactTime } from "../parts/RelativeTime";
import { ThemeSwitch } from "../ThemeSwitch";
import { ChangePassword } from "./ChangePassword";
import { Leave } from "./Leave";
import { RenewRecovery } from "./RenewRecovery";
import { Sessions } from "./Sessions";

export default function Account() {
  const me = useView((view) => view.me);
  if (!me) return null;
  return (
    <Page title="My account" narrow>
      <Section title="Who you are">
        <Facts
          facts={[
            ["Name", me.name],
            ["Handle", me.handle],
            ["Role", <Badge key="role">{me.role}</Badge>],
            ["Account id", <code key="account">{inFours(me.account)}</code>],
            ["Session ends", <ExactTime key="expires" at={me.expires} full />],
          ]}
        />
        <div>
          <CopyButton text={me.account} label="Copy the account id" />
        </div>
        <p className="soft">
          The account id is made of your first key, as its fingerprint, and never changes. Compare it with a
          colleague, or better, compare the safety code on their page.
        </p>
      </Section>
      <Section title="Theme">
        <ThemeSwitch />
      </Section>
      <ChangePassword handle={me.handle} />
      <RenewRecovery handle={me.handle} />
      <Sessions />
      <Leave />
    </Page>
  );
}

/** As `abcd efgh`: two people can read it to each other. */
function inFours(id: string): string {
  return id.replace(/(.{4})(?=.)/g, "$1 ");
}
